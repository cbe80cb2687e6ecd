'use strict';

const net = require('net');

const { kConnection } = require('../constants');
const keepOwn = require('../node/keep-own');
const { toBuffer } = require('../payload');
const { isWriteOriginal } = require('../node/node-originals');
const {
  createClosing,
  createEncodingError
} = require('../errors/system-errors');
const ConnectionHandle = require('./connection-handle');

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * Under a symbol, as programs make JSON of sockets.
 *
 * @type {any}
 */
const kConnectionHandle = Symbol('connection-handle');

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
  /** @param {NativeConnection} connection */
  constructor(connection) {
    const handle = new ConnectionHandle(connection);

    super({ handle, manualStart: true, allowHalfOpen: true });
    this[kConnectionHandle] = handle;
    // What breaks the connection is told by its end.
    this.on('error', onSocketError);

    if (connection.isStarted) this.onStarted();
    if (connection.ended) this.onEnded();
    if (connection.ending) this.end();
    if (connection.destroyed) this.destroy();
    else if (connection.isPaused) this.onPaused();
    // Who asks for it now comes after its 'close'.
    if (connection.isCloseTold) handle.forgetClose();

    // From here on Node counts it out, if it is not closed already.
    if (connection.server !== null)
      this.server = this._server = connection.server;
  }

  /** Makes an open socket of Node's one over `connection`. */
  static rebind(
    socket,
    connection,
    handle = new ConnectionHandle(connection),
    prototype = NativeSocket.prototype
  ) {
    handle.asyncId = socket._handle.getAsyncId();
    handle.readBefore = socket._handle.bytesRead;
    handle.writtenBefore = socket._handle.bytesWritten;
    connection.bindSocket(socket);
    if (socket._handle.hasRef?.() === false) handle.unref();
    socket._handle = handle;
    socket[kConnectionHandle] = handle;
    // A property that is added after this gives the socket a hidden class of
    // its own, a KiB each: this one adds some, and will be called anyway.
    socket.setTimeout(0);
    Object.setPrototypeOf(socket, prototype);
  }

  /** Bytes that the stream itself holds. */
  get ownLength() {
    return this._connectionHandle.ownLength ?? this._writableState.length;
  }

  /** Frames that the engine holds count as waiting to be written. */
  get writableLength() {
    return this.ownLength + this._connection.pending;
  }

  /**
   * Has `_writableState.length` say so, too, until the socket ends. That costs
   * the object its shape: only for who may look there.
   */
  exposeBacklog() {
    this._connectionHandle.exposeBacklog(this._writableState);
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
      this._connection.notifyDrained();
    }

    return hasRoom;
  }

  /** Somebody wants to see the bytes of a connection that speaks WebSocket. */
  _detachIfObserved() {
    const { _connection: connection } = this;

    if (connection.isStarted && !connection.isDetached && !connection.destroyed)
      connection.detach();
  }

  /** Whether bytes have to come through it: somebody waits for them, or has added some. */
  get isReadWatched() {
    return (
      this.readableLength > 0 ||
      this.readableEncoding !== null ||
      super.listenerCount('data') > 0 ||
      super.listenerCount('readable') > 0 ||
      Object.hasOwn(this, 'emit') ||
      Object.hasOwn(this, 'push')
    );
  }

  // A WebSocket of ws listens to 'data'. A program that asks for that listener, or
  // removes it, finds one.
  listenerCount(event, listener) {
    if (event === 'data') this._detachIfObserved();

    return super.listenerCount(event, listener);
  }

  listeners(event) {
    if (event === 'data') this._detachIfObserved();

    return super.listeners(event);
  }

  rawListeners(event) {
    if (event === 'data') this._detachIfObserved();

    return super.rawListeners(event);
  }

  removeAllListeners(event) {
    if (event === 'data' || event === undefined) this._detachIfObserved();

    return event === undefined
      ? super.removeAllListeners()
      : super.removeAllListeners(event);
  }

  /** Its `_handle`, also once that is gone. */
  get _connectionHandle() {
    return this[kConnectionHandle];
  }

  get _connection() {
    return this._connectionHandle[kConnection];
  }

  /** Whether frames go to the WebSocket without passing through here. */
  get _isSilent() {
    return this._connection.isStarted && !this._connection.isDetached;
  }

  _read() {
    const { _connection: connection } = this;

    if (this._isSilent) return;

    // Until there is a WebSocket what comes is for who reads the socket.
    if (connection.isParked) connection.startPassthrough(false);
    connection.setReading(true);
  }

  unshift(chunk, encoding) {
    this._detachIfObserved();

    return super.unshift(chunk, encoding);
  }

  setEncoding(encoding) {
    // Node's servers allow none.
    if (this._connection.server !== null) throw createEncodingError();

    this._detachIfObserved();

    return super.setEncoding(encoding);
  }

  /** Whether what is written from here on has been sent by other means. */
  discardWrites(discardsWrites) {
    this._connectionHandle.discardsWrites = discardsWrites;
  }

  /** Bytes take their place among the frames at once: no stream buffers them. */
  write(chunk, encoding, callback) {
    const isBytes = typeof chunk === 'string' || ArrayBuffer.isView(chunk);

    if (typeof encoding === 'function') [encoding, callback] = [null, encoding];
    if (
      !isBytes ||
      !this.writable ||
      this._connectionHandle.discardsWrites ||
      !isWriteOriginal()
    ) {
      return super.write(chunk, encoding, callback);
    }

    this._unrefTimer();
    this._connection.write(
      [toBytes({ chunk, encoding: encoding || 'utf8' })],
      typeof callback === 'function' ? callback : undefined
    );

    return this._noteBacklog();
  }

  /** Whether somebody has put himself between it and who writes. */
  get isWriteObserved() {
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
    if (this._connectionHandle.discardsWrites) callback();
    else this._connection.write(chunks.map(toBytes), callback);
  }

  // Frames and other bytes keep their order: the engine holds both.
  cork() {
    if (this._connectionHandle.corks++ === 0)
      this._connection.nativeHandle?.cork();
  }

  uncork() {
    const { _connectionHandle: handle } = this;

    // Node's http sets the stream's own count to 1 and uncorks it, for the last time.
    if (this._writableState.corked > 0) super.uncork();
    // Once it is destroyed nothing more leaves.
    if (handle.corks > 0 && --handle.corks === 0 && !this.destroyed) {
      this._connection.nativeHandle?.uncork();
      this._connection.onUncorked();
    }
  }

  get writableCorked() {
    return this._connectionHandle.corks;
  }

  /** FIN follows what is queued; ended means that it was sent. */
  _final(callback) {
    if (this._connectionHandle.corks > 0)
      this._connection.nativeHandle?.uncork();
    this._connectionHandle.corks = 0;
    this._connection.sendFin();
    this._connection.write([], callback);
  }

  resetAndDestroy() {
    this.resetAndClosing = true;

    return this.destroy();
  }

  pause() {
    if (this._isSilent && !this._connection.isPaused) this._connection.pause();

    return super.pause();
  }

  resume() {
    // What a connection holds back it does, too, when JavaScript carries the bytes.
    if (this._connection.isStarted && this._connection.isPaused)
      this._connection.resume();

    return super.resume();
  }

  /**
   * Frames are exchanged from here on: as `ws` leaves its sockets. Its listeners come
   * after those that the program has added before, and whatever that has removed.
   */
  onStarted() {
    const { _connection: connection } = this;

    this.setTimeout(0);
    this.setNoDelay();
    this.removeListener('error', onSocketError);
    // The connection may have been told of its close already.
    if (!connection.isCloseTold) this.on('close', onSocketClose);
    this.on('error', onSocketError);
    this.on('newListener', noteListener);

    // Who has paused it resumes it.
    if (this.readableFlowing === false) connection.pause();
    else super.resume();
  }

  /** The connection was paused: `isPaused()` tells so. */
  onPaused() {
    super.pause();
  }

  onResumed() {
    super.resume();
  }

  /** Bytes came while the socket is an ordinary one. */
  onChunk(chunk) {
    this._unrefTimer();
    if (!this.push(chunk)) this._connection.setReading(false);
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

    this._unrefTimer();
    this._connectionHandle.noteActivity();
  }

  _onTimeout() {
    if (this._connectionHandle.wasActive()) this.noteActivity();
    else super._onTimeout();
  }

  /** The connection was given something to send. */
  onQueued() {
    this.noteActivity();
    // To ask for the number of listeners takes longer than all else.
    if (this._events.drain !== undefined) this._noteBacklog();
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
      this._connection.ended &&
      !this.readableEnded &&
      this._connectionHandle._onclose === null
    );
  }

  /** The connection is closed, by the peer, by an error, or because we asked. */
  onClosed(reason) {
    if (this._connectionHandle._onclose !== null) {
      this._connectionHandle.onClosed();
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
  if (chunk !== null) this._detachIfObserved();

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
      this._detachIfObserved();
      keepOwn(this, name, value);
    }
  });
}

const { _write, _writev, cork, uncork, write } = NativeSocket.prototype;

NativeSocket.ConnectionHandle = ConnectionHandle;

// Programs that look at its class expect Node's.
Object.defineProperty(NativeSocket, 'name', { value: 'Socket' });

function toBytes({ chunk, encoding }) {
  return typeof chunk === 'string'
    ? Buffer.from(chunk, encoding)
    : toBuffer(chunk);
}

/** Who adds a listener may want to see the bytes. */
function noteListener(event) {
  if (this._connection.isObservedBy(event)) this._detachIfObserved();
}

function onSocketClose() {
  this.removeListener('close', onSocketClose);
  this._connection.onSocketClosed();
}

/** An error closes the WebSocket, which is all that it has to do. */
function onSocketError() {
  this._connection.onSocketError();
}

module.exports = NativeSocket;
