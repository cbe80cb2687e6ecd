'use strict';

const net = require('net');

const keepOwn = require('../node/keep-own');
const { toBuffer } = require('../payload');
const { isWriteOriginal } = require('../node/node-originals');
const { createClosing } = require('../errors/system-errors');
const timers = require('../node/timers');

/**
 * What `socket._handle` is: the part of Node's TCP handle that `net.Socket`
 * asks for, over a connection of the engine.
 */
class ConnectionHandle {
  constructor(link) {
    this.link = link;
    this._onclose = null;
    /** That of the handle that was in this one's place. */
    this.asyncId = null;
    this.reading = true;
    this.isStreamBase = false;
    /** What went through the handle that was in this one's place. */
    this.readBefore = 0;
    this.writtenBefore = 0;
    /** What the socket is given to write has been sent by other means. */
    this.isMuted = false;
    /** How often the socket is corked. */
    this.corks = 0;
    /** What had come and gone when its timeout began, and what waited. */
    this.seen = 0;
    this.seenPending = 0;
    /** What the stream itself holds, once `showBacklog()` counts more. */
    this.ownLength = null;
  }

  get fd() {
    return this.link.half?.fd ?? -1;
  }

  getAsyncId() {
    return this.asyncId ?? this.link.resource.asyncId();
  }

  get bytesRead() {
    return this.readBefore + this.link.bytesRead;
  }

  get bytesWritten() {
    return this.writtenBefore + this.link.bytesWritten;
  }

  get writeQueueSize() {
    return this.link.writableLength;
  }

  getpeername(out) {
    Object.assign(out, this.link.half?.remoteAddress());

    return 0;
  }

  getsockname(out) {
    Object.assign(out, this.link.half?.localAddress());

    return 0;
  }

  setNoDelay(enable) {
    return this.link.half?.setNoDelay(enable) ?? 0;
  }

  setKeepAlive(enable, delay) {
    return this.link.half?.setKeepAlive(enable, delay) ?? 0;
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
    this.link.setReferenced(true);
  }

  unref() {
    this.link.setReferenced(false);
  }

  hasRef() {
    return this.link.isReferenced && !this.link.isClosed;
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

    // As late as libuv: behind the 'error' event, and in the handle's context.
    if (this.link.isClosed) {
      timers.setImmediate(() =>
        this.link.resource.runInAsyncScope(this.onClosed, this)
      );
    } else {
      this.link.close(reset);
    }
  }

  /** The connection is closed. */
  onClosed() {
    const onclose = this._onclose;

    this._onclose = null;
    if (onclose) onclose();
  }
}

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * With the members that Node's own sockets have and its documentation has not.
 *
 * @type {any}
 */
const Socket = net.Socket;

/**
 * The `net.Socket` over a connection of the engine. Before the connection
 * speaks WebSocket it is an ordinary socket; afterwards its readable side is
 * silent, as the frames go to the WebSocket.
 */
class NativeSocket extends Socket {
  /** @param {NativeConnection} link */
  constructor(link) {
    const handle = new ConnectionHandle(link);

    super({ handle, manualStart: true, allowHalfOpen: true });
    this._connection = handle;
    // Who has heard that it is closed does not hear so again.
    this._listen(!link.isClosed);

    if (link.isStarted) this.onStarted();
    if (link.ended) this.onEnded();
    if (link.ending) this.end();
    if (link.destroyed) this.destroy();
    else if (link.isPaused) this.onPaused();

    // From here on Node counts it out, if it is not closed already.
    if (link.server !== null) this.server = this._server = link.server;
  }

  /** Makes an open socket of Node's one over `link`. */
  static adopt(socket, link) {
    const handle = new ConnectionHandle(link);

    handle.asyncId = socket._handle.getAsyncId();
    handle.readBefore = socket._handle.bytesRead;
    handle.writtenBefore = socket._handle.bytesWritten;
    link.adoptSocket(socket);
    if (socket._handle.hasRef?.() === false) handle.unref();
    socket._handle = handle;
    socket._connection = handle;
    // A property that is added after this gives the socket a hidden class of
    // its own, a KiB each: this one adds some, and will be called anyway.
    socket.setTimeout(0);
    Object.setPrototypeOf(socket, NativeSocket.prototype);
    socket._listen(true);
  }

  _listen(isOpen) {
    this.on('error', ignore);
    if (isOpen) this.on('close', tellLink);
    this.on('newListener', noteListener);
  }

  /** Frames that the engine holds count as waiting to be written. */
  get writableLength() {
    const { length } = this._writableState;

    return (this._connection.ownLength ?? length) + this.link.pending;
  }

  /**
   * Has `_writableState.length` say so, too, until the socket ends. That costs
   * the object its shape: only for who may look there.
   */
  showBacklog() {
    const { _connection: connection, _writableState: state, link } = this;
    let backlog = 0;

    if (connection.ownLength !== null) return;

    connection.ownLength = state.length;
    Object.defineProperty(state, 'length', {
      get: () => {
        backlog = state.ending ? 0 : link.pending;

        return connection.ownLength + backlog;
      },
      set: (length) => {
        connection.ownLength = length - backlog;
      }
    });
  }

  get writableNeedDrain() {
    this._noteBacklog();

    return super.writableNeedDrain;
  }

  /** Whether less than the high-water mark waits; if not, 'drain' will tell. */
  _noteBacklog() {
    const state = this._writableState;
    const hasRoom = this.writableLength < state.highWaterMark;

    if (!hasRoom) {
      state.needDrain = true;
      this.link.tellDrained();
    }

    return hasRoom;
  }

  /** Somebody wants to see the bytes of a connection that speaks WebSocket. */
  _reveal() {
    const { link } = this;

    if (link.isStarted && !link.isDemoted && !link.destroyed) link.demote();
  }

  /** Whether bytes have to come through it, as somebody waits for them. */
  get isReadWatched() {
    return (
      super.listenerCount('data') > 0 ||
      super.listenerCount('readable') > 0 ||
      Object.hasOwn(this, 'emit') ||
      Object.hasOwn(this, 'push')
    );
  }

  // A WebSocket of ws listens to 'data', and who looks for that listener, or
  // takes it away, finds it.
  listenerCount(event, listener) {
    if (event === 'data') this._reveal();

    return super.listenerCount(event, listener);
  }

  listeners(event) {
    if (event === 'data') this._reveal();

    return super.listeners(event);
  }

  rawListeners(event) {
    if (event === 'data') this._reveal();

    return super.rawListeners(event);
  }

  removeAllListeners(event) {
    if (event === 'data' || event === undefined) this._reveal();

    return event === undefined
      ? super.removeAllListeners()
      : super.removeAllListeners(event);
  }

  get link() {
    return this._connection.link;
  }

  /** Whether frames go to the WebSocket without passing through here. */
  get _isSilent() {
    return this.link.isStarted && !this.link.isDemoted;
  }

  _read() {
    if (!this._isSilent) this.link.setReading(true);
  }

  /** Whether what is written from here on has been sent by other means. */
  mute(isMuted) {
    this._connection.isMuted = isMuted;
  }

  /** Bytes take their place among the frames at once: no stream buffers them. */
  write(chunk, encoding, callback) {
    const isBytes = typeof chunk === 'string' || ArrayBuffer.isView(chunk);

    if (typeof encoding === 'function') [encoding, callback] = [null, encoding];
    if (
      !isBytes ||
      !this.writable ||
      this._connection.isMuted ||
      !isWriteOriginal()
    ) {
      return super.write(chunk, encoding, callback);
    }

    this._unrefTimer();
    this.link.write(
      [toBytes({ chunk, encoding: encoding || 'utf8' })],
      typeof callback === 'function' ? callback : undefined
    );

    return this._noteBacklog();
  }

  /** Whether somebody has put himself between it and who writes. */
  get isWatched() {
    return (
      this.write !== write ||
      this._write !== _write ||
      this._writev !== _writev ||
      this.cork !== cork ||
      this.uncork !== uncork ||
      !isWriteOriginal()
    );
  }

  _write(chunk, encoding, callback) {
    this._writev([{ chunk, encoding }], callback);
  }

  _writev(chunks, callback) {
    this._unrefTimer();
    if (this._connection.isMuted) callback();
    else this.link.write(chunks.map(toBytes), callback);
  }

  // Frames and other bytes keep their order: the engine holds both.
  cork() {
    this._connection.corks++;
    this.link.half?.setCorked(true);
  }

  uncork() {
    const { _connection: connection } = this;

    if (connection.corks > 0 && --connection.corks === 0) {
      this.link.half?.setCorked(false);
    }
  }

  get writableCorked() {
    return this._connection.corks;
  }

  /** FIN follows what is queued; ended means that it was sent. */
  _final(callback) {
    if (this._connection.corks > 0) this.link.half?.setCorked(false);
    this._connection.corks = 0;
    this.link.sendFin();
    this.link.write([], callback);
  }

  resetAndDestroy() {
    this.resetAndClosing = true;

    return this.destroy();
  }

  pause() {
    if (this._isSilent && !this.link.isPaused) this.link.pause();

    return super.pause();
  }

  resume() {
    // What a link holds back it does, too, when JavaScript carries the bytes.
    if (this.link.isStarted && this.link.isPaused) this.link.resume();

    return super.resume();
  }

  /** Frames are exchanged from here on: as `ws` leaves its sockets. */
  onStarted() {
    this.setTimeout(0);
    this.setNoDelay();
    super.resume();
  }

  /** The link was paused: `isPaused()` tells so. */
  onPaused() {
    super.pause();
  }

  onResumed() {
    super.resume();
  }

  /** Bytes came while the socket is an ordinary one. */
  onChunk(chunk) {
    this._unrefTimer();
    if (!this.push(chunk)) this.link.setReading(false);
  }

  /** The peer's FIN came. */
  onEnded() {
    this.push(null);
    if (this._isSilent) super.resume();
    else this.read(0);
  }

  setTimeout(delay, callback) {
    super.setTimeout(delay, callback);
    this.noteActivity();

    return this;
  }

  /** Bytes come and go: a timeout starts anew. */
  noteActivity() {
    if (!this.timeout) return;

    const { _connection: connection, link } = this;

    this._unrefTimer();
    connection.seen = link.bytesRead + link.sends;
  }

  /**
   * Nothing was heard of for as long as the timeout is. A message of which only
   * a part has come, or left, may have made it longer.
   */
  _onTimeout() {
    const { _connection: connection, link } = this;
    const { pending } = link;
    const isActive =
      connection.seen !== link.bytesRead + link.sends ||
      (pending > 0 && connection.seenPending !== pending);

    connection.seenPending = pending;
    if (isActive && !link.isClosed) this.noteActivity();
    else super._onTimeout();
  }

  /** The link was given something to send. */
  onQueued() {
    this.noteActivity();
    if (this.listenerCount('drain') > 0) this._noteBacklog();
  }

  /** All that waited is written. */
  onDrained() {
    const state = this._writableState;

    if (state.needDrain && state.length === 0 && !state.ending) {
      state.needDrain = false;
      this.emit('drain');
    }
  }

  /** Both sides have ended, and not all is read that came before. */
  isUnread(reason) {
    return (
      reason === 0 &&
      this.link.ended &&
      !this.readableEnded &&
      this._connection._onclose === null
    );
  }

  /** The connection is closed, by the peer, by an error, or because we asked. */
  onClosed(reason) {
    if (this._connection._onclose !== null) {
      this._connection.onClosed();
    } else if (this.isUnread(reason)) {
      this.once('end', () => this.destroy());
    } else if (reason === 0) {
      this.destroy();
    } else {
      this.destroy(createClosing(reason));
    }
  }
}

/** Adds bytes to those of a connection. */
function push(chunk, encoding) {
  if (chunk !== null) this._reveal();

  return Socket.prototype.push.call(this, chunk, encoding);
}

// Who gives a socket another one of these wants to see what comes.
for (const [name, get] of Object.entries({
  emit: () => Socket.prototype.emit,
  push: () => push
})) {
  Object.defineProperty(NativeSocket.prototype, name, {
    configurable: true,
    get,
    set(value) {
      this._reveal();
      keepOwn(this, name, value);
    }
  });
}

const { _write, _writev, cork, uncork, write } = NativeSocket.prototype;

// Programs that look at its class expect Node's.
Object.defineProperty(NativeSocket, 'name', { value: 'Socket' });

function toBytes({ chunk, encoding }) {
  return typeof chunk === 'string'
    ? Buffer.from(chunk, encoding)
    : toBuffer(chunk);
}

/** Who adds a listener may want to see the bytes. */
function noteListener(event) {
  if (this.link.isRevealing(event)) this._reveal();
}

function tellLink() {
  this.link.onSocketClosed();
}

/** An error closes the WebSocket; who wants to know it listens himself. */
function ignore() {}

module.exports = NativeSocket;
