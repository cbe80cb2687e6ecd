'use strict';

const { Socket } = require('net');

const { createSystemError } = require('./system-errors');

/**
 * What `socket._handle` is: the part of Node's TCP handle that `net.Socket`
 * asks for, over a connection of the engine.
 */
class ConnectionHandle {
  constructor(link) {
    this._link = link;
    this._onclose = null;
    this.reading = true;
    this.isStreamBase = false;
  }

  get fd() {
    return this._link.half.fd;
  }

  get bytesRead() {
    return this._link.half.bytesRead;
  }

  get bytesWritten() {
    return this._link.half.bytesWritten;
  }

  get writeQueueSize() {
    return this._link.writableLength;
  }

  getpeername(out) {
    Object.assign(out, this._link.half.remoteAddress());

    return 0;
  }

  getsockname(out) {
    Object.assign(out, this._link.half.localAddress());

    return 0;
  }

  setNoDelay(enable) {
    return this._link.half.setNoDelay(enable);
  }

  setKeepAlive(enable, delay) {
    return this._link.half.setKeepAlive(enable, delay);
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
    this._link.half.hold(true);
  }

  unref() {
    this._link.half.hold(false);
  }

  hasRef() {
    return !this._link.isClosed;
  }

  /** Ends our side. `net.Socket` wants to hear through the request object. */
  shutdown(req) {
    this._link.half.end();
    this._link.write([], () => req.oncomplete(0));

    return 0;
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

    if (this._link.isClosed) process.nextTick(() => this.onClosed());
    else this._link.close(reset);
  }

  /** The connection is closed. */
  onClosed() {
    const onclose = this._onclose;

    this._onclose = null;
    if (onclose) onclose();
  }
}

/**
 * The `net.Socket` over a connection of the engine. Before the connection
 * speaks WebSocket it is an ordinary socket; afterwards its readable side is
 * silent, as the frames go to the WebSocket.
 */
class ConnectionSocket extends Socket {
  /** @param {NativeLink} link */
  constructor(link) {
    const handle = new ConnectionHandle(link);

    super({ handle, manualStart: true, allowHalfOpen: true });
    this._attach(link, handle);

    if (link.ended) this.onEnded();
    if (link.ending) this.end();
    if (link.destroyed) this.destroy();
    else if (link.isPaused) this.onPaused();
  }

  /** Makes an open socket of Node's one over `link`. */
  static adopt(socket, link) {
    const handle = new ConnectionHandle(link);

    Object.setPrototypeOf(socket, ConnectionSocket.prototype);
    socket._handle = handle;
    socket._attach(link, handle);
    link.adoptSocket(socket);
  }

  _attach(link, handle) {
    Object.defineProperties(this, {
      _link: { value: link, writable: true },
      _connection: { value: handle }
    });
    this._muted = false;
    this.on('error', ignore);
    this.once('close', () => link.onSocketClosed());
  }

  get link() {
    return this._link;
  }

  _read() {
    if (!this._link.isStarted) this._link.half.resume();
  }

  /** What is written from here on has been sent by other means. */
  mute() {
    this._muted = true;
  }

  _write(chunk, encoding, callback) {
    this._writev([{ chunk, encoding }], callback);
  }

  _writev(chunks, callback) {
    this._unrefTimer();
    this._link.write(this._muted ? [] : chunks.map(toBytes), callback);
  }

  resetAndDestroy() {
    this.resetAndClosing = true;

    return this.destroy();
  }

  pause() {
    if (this._link.isStarted && !this._link.isPaused) this._link.pause();

    return super.pause();
  }

  resume() {
    if (this._link.isStarted && this._link.isPaused) this._link.resume();

    return super.resume();
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
    if (!this.push(chunk)) this._link.half.pause();
  }

  /** The peer's FIN came. */
  onEnded() {
    this.push(null);
    if (this._link.isStarted) super.resume();
    else this.read(0);
  }

  /** All that waited is written. */
  onDrained() {
    if (this.writableLength === 0) this.emit('drain');
  }

  /** The connection is closed, by the peer, by an error, or because we asked. */
  onClosed(errno) {
    if (this._connection._onclose !== null) {
      this._connection.onClosed();
    } else if (errno === 0) {
      this.destroy();
    } else {
      this.destroy(createSystemError(-errno, 'read'));
    }
  }
}

function toBytes({ chunk, encoding }) {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** An error closes the WebSocket; who wants to know it listens himself. */
function ignore() {}

module.exports = ConnectionSocket;
