'use strict';

const { kConnection } = require('../constants');
const timers = require('../node/timers');
const Unwrapped = require('../node/unwrapped');

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * What `socket._handle` is: the part of Node's TCP handle that `net.Socket`
 * asks for, over a connection of the engine. Native functions that get it, as
 * when the socket is sent to another process, find that it is no handle of theirs.
 */
class ConnectionHandle extends Unwrapped {
  /** @param {NativeConnection} connection */
  constructor(connection) {
    super();
    this[kConnection] = connection;
    /** That of the handle that was in this one's place. */
    this.asyncId = null;
    this.reading = true;
    /** What went through the handle that was in this one's place. */
    this.readBefore = 0;
    this.writtenBefore = 0;
  }

  get fd() {
    return this[kConnection].nativeHandle?.fd ?? -1;
  }

  getAsyncId() {
    return this.asyncId ?? this[kConnection].resource.asyncId();
  }

  get bytesRead() {
    return this.readBefore + this[kConnection].bytesRead;
  }

  get bytesWritten() {
    return this.writtenBefore + this[kConnection].bytesWritten;
  }

  get writeQueueSize() {
    return this[kConnection].writableLength;
  }

  getpeername(out) {
    Object.assign(out, this[kConnection].nativeHandle?.remoteAddress());

    return 0;
  }

  getsockname(out) {
    Object.assign(out, this[kConnection].nativeHandle?.localAddress());

    return 0;
  }

  setNoDelay(enable) {
    return this[kConnection].setNoDelay(enable);
  }

  /** Without `interval` and `count` those of libuv, 1 second and 10. */
  setKeepAlive(enable, delay, interval = 1, count = 10) {
    const { nativeHandle } = this[kConnection];

    return nativeHandle?.setKeepAlive(enable, delay, interval, count) ?? 0;
  }

  setTypeOfService(value) {
    return this[kConnection].nativeHandle?.setTypeOfService(value) ?? 0;
  }

  getTypeOfService() {
    return this[kConnection].nativeHandle?.typeOfService() ?? 0;
  }

  readStart() {
    this.reading = true;

    return 0;
  }

  readStop() {
    this.reading = false;

    return 0;
  }

  ref() {
    this[kConnection].setReferenced(true);
  }

  unref() {
    this[kConnection].setReferenced(false);
  }

  hasRef() {
    return this[kConnection].isReferenced && !this[kConnection].isClosed;
  }

  close(onclose) {
    this._close(onclose, false);
  }

  reset(onclose) {
    this._close(onclose, true);

    return 0;
  }

  _close(onclose, reset) {
    this._onclose = onclose;

    // Who made the socket object meanwhile hears of it with the WebSocket.
    if (this[kConnection].isCloseDue) return;

    // As late as libuv: after the 'error' event, and in the handle's context.
    if (this[kConnection].isClosed) {
      timers.setImmediate(() =>
        this[kConnection].resource.runInAsyncScope(this.onClosed, this)
      );
    } else {
      this[kConnection].close(reset);
    }
  }

  /** Nobody is to hear that it is closed. */
  forgetClose() {
    this._onclose = null;
  }

  /** The connection is closed. */
  onClosed() {
    const onclose = this._onclose;

    this._onclose = null;
    if (onclose) onclose();
  }

  /** Has the state of a stream count what the engine holds, until it ends. */
  exposeBacklog(state) {
    let backlog = 0;

    if (this.ownLength !== null) return;

    this.ownLength = state.length;
    Object.defineProperty(state, 'length', {
      get: () => {
        backlog = state.ending ? 0 : this[kConnection].pending;

        return this.ownLength + backlog;
      },
      set: (length) => {
        this.ownLength = length - backlog;
      }
    });
  }

  /** A timeout of the socket begins. */
  noteActivity() {
    this._seen = this[kConnection].bytesRead + this[kConnection].sends;
  }

  /**
   * Whether anything came or left since then. A message of which only a part
   * did may have made it longer.
   */
  wasActive() {
    const { [kConnection]: connection } = this;
    const { pending } = connection;
    const isActive =
      this._seen !== connection.bytesRead + connection.sends ||
      (pending > 0 && this._seenPending !== pending);

    this._seenPending = pending;

    return isActive && !connection.isClosed;
  }
}

// In common, as in `connection.js`.

/** @type {?function(): void} */
ConnectionHandle.prototype._onclose = null;
ConnectionHandle.prototype.isStreamBase = false;
/** What the socket is given to write has been sent by other means. */
ConnectionHandle.prototype.discardsWrites = false;
/** How often the socket is corked. */
ConnectionHandle.prototype.corks = 0;
/** What had come and gone when its timeout began, and what waited. */
ConnectionHandle.prototype._seen = 0;
ConnectionHandle.prototype._seenPending = 0;
/**
 * What the stream itself holds, once `exposeBacklog()` counts more.
 *
 * @type {?number}
 */
ConnectionHandle.prototype.ownLength = null;

module.exports = ConnectionHandle;
