'use strict';

const native = require('../native/addon');
const { bridge, scheduleFlush, targets } = require('../native/bridge');
const Connection = require('./connection');
const NativeSocket = require('./native-socket');
const onceDrained = require('./once-drained');
const refuseEnded = require('./refuse-ended');
const { ClosingTurn } = require('../native/turns');
const { isWriteOriginal } = require('../node/node-originals');
const timers = require('../node/timers');
const WriteCallbacks = require('./write-callbacks');

/** @typedef {import('../native/async-context').ConnectionResource} ConnectionResource */

/** The longest queue that the addon can be told of. */
const MAX_THRESHOLD = 0xffffffff;

/**
 * The socket of a connection of the engine: the bytes that go through it, its
 * ends, and what Node.js knows of it.
 */
class NativeByteStream extends Connection {
  /**
   * @param {number} id That of the connection
   * @param {?ConnectionResource} [resource] Whose async context its events have;
   *     those of a connection that was accepted have one of their own
   */
  constructor(id, resource = null) {
    super();

    this.id = id;
    /** `dispatch()` calls in the async context of its events, or they have none. */
    this.isInContext = false;
    this.asyncResource = resource;
    this._nativeHandle = null;
    this._socket = null;
    /** Those of sends, once there are some. */
    this._callbacks = null;
    /** The http.Server that it was accepted for. */
    this.server = null;
    /** It is one of the server's connections, and has no socket to tell. */
    this._isCounted = false;
  }

  /** Whether it keeps the process alive, as `async_hooks` ask their resources. */
  hasRef() {
    return !this._closed;
  }

  /** The net.Socket over this connection, created lazily. */
  get socket() {
    if (this._socket === null) {
      this.makeIndirect();
      this._socket = new NativeSocket(/** @type {any} */ (this));
    }

    return this._socket;
  }

  /** The socket, once a program gets to see it. */
  get exposedSocket() {
    const { socket } = this;

    socket.exposeBacklog();

    return socket;
  }

  /**
   * The native handle, created lazily: most connections get along
   * without. Null once the connection is closed.
   */
  get nativeHandle() {
    if (this._nativeHandle === null && !this._closed) {
      this._nativeHandle = native.take(bridge.id, this.id);
    }

    return this._nativeHandle;
  }

  /** All is written that is not corked, also once it is closed. */
  get isHeldBack() {
    return this._nativeHandle?.isHeldBack === true;
  }

  /** The socket object is there already: an adopted one, or one asked for. */
  get hasSocket() {
    return this._socket !== null;
  }

  /** It is one more connection of a server of Node's. */
  countFor(server) {
    // Its request has another one.
    this.isInContext = true;
    this.server = server;
    this._isCounted = true;
    server._connections++;
  }

  /**
   * Takes it off the server's count, as a socket of Node's does when it is
   * destroyed.
   *
   * @return {boolean} Whether the server emits 'close' in the next tick
   */
  _discount() {
    const { server } = this;

    if (!this._isCounted || this._socket !== null) return false;

    this._isCounted = false;
    server._connections--;
    server._emitCloseIfDrained();

    return server._connections === 0 && !server._handle;
  }

  /**
   * Gives the connection away, before anything was made of it.
   *
   * @return {?{fd: number, bytes: Buffer}} None: it is closed
   */
  release() {
    const released = this.nativeHandle.release();

    if (released !== null) {
      targets[this.id] = undefined;
      this.id = -1;
      this.destroyed = true;
      this._closed = true;
      this._isCounted = false;
    }

    return released;
  }

  /** A socket that Node made is this connection's from now on. */
  bindSocket(socket) {
    this._socket = socket;
  }

  /** The peer has ended before frames are exchanged. */
  _endBeforeStart() {
    // What it was started with comes first, and then this once more.
    if (this.isStarted || this._closed) return;

    // A socket that is not read from shows no end, either.
    if (!this._isReading || this.ended) return;

    this._takeEnd();
    if (this._mayIdle) this.notifyDrained();
  }

  /** Both sides have ended, and the peer's end has still to be told. */
  _endBeforeClosing() {
    if (this._isEndDue && !this.isDestroyedHere) this._takeEnd();
  }

  _takeEnd() {
    this._isEndDue = false;
    this.ended = true;
    this._endSocket();
  }

  _endSocket() {
    if (this._socket !== null) this._socket.onEnded();
  }

  get isClosed() {
    return this._closed;
  }

  write(list, cb) {
    for (const piece of list) bridge.write(this.id, piece);
    this.onSent(cb);
  }

  /** The same for frames, which may come after the end of the socket. */
  writeFrames(list, cb) {
    if (!refuseEnded(this._socket, cb)) this.write(list, cb);
  }

  /** Something was sent. */
  onSent(cb) {
    if (this._isIdle) this._wake();
    if (cb !== undefined) {
      this._callbacks ??= new WriteCallbacks(this);
      this._callbacks.add(cb);
    }

    if (this._socket !== null) this._socket.onQueued();
    scheduleFlush();
  }

  /** It was sent a frame that others got, too. */
  onFrameSent() {
    if (this._isIdle) this._wake();
    if (this._socket !== null) this._socket.onQueued();
  }

  /** What was kept together is to be written. */
  onUncorked() {
    if (this._isIdle) this._wake();
  }

  /** JavaScript need not hear of what the engine sends. */
  get isUnobserved() {
    return this._socket === null && !this._isIdle;
  }

  /** Bytes that the kernel does not have, after a try to write them. */
  get pending() {
    return this.destroyed ? 0 : bridge.pending(this.id);
  }

  /** Has what was sent leave now, by this thread. */
  flush() {
    void this.pending;
  }

  get writableLength() {
    return this._socket === null ? this.pending : this._socket.writableLength;
  }

  /** Bytes in the queues, without a try to write them. */
  get _queuedLength() {
    const own = this._socket?.ownLength ?? 0;

    return own + (this._closed ? 0 : bridge.backlog(this.id));
  }

  /** Has `onBufferedAmountLow()` called once no more than so many bytes are queued. */
  notifyBufferedAmountLow(threshold) {
    if (this._closed) return;

    // What the socket object holds back, because it is corked, leaves by that.
    if (this._socket?.ownLength > 0) {
      onceDrained(this._socket, () => this.onBufferedAmountLow());
      this.notifyDrained();
    } else {
      bridge.notifyBufferedAmountLow(
        this.id,
        Math.min(threshold, MAX_THRESHOLD)
      );
    }
  }

  get isWriteObserved() {
    return this._socket === null
      ? !isWriteOriginal()
      : this._socket.isWriteObserved;
  }

  get finished() {
    return this._socket === null
      ? this.ending && this.writableLength === 0
      : this._socket.writableFinished;
  }

  onceFinished(fn) {
    this.socket.once('finish', fn);
  }

  _stopReading() {
    if (!this.destroyed) this.setReading(false);
  }

  _startReading() {
    if (!this.destroyed) this.setReading(true);
  }

  /** Writes what was sent while it was adopted: Node's TLS is as early. */
  writeFirst() {
    this._callbacks?.callWritten(1);
  }

  /** Has bytes read, or not. */
  setReading(isReading) {
    this._isReading = isReading;

    if (isReading) {
      this._isReadStopped = false;
      this.nativeHandle?.resume();
      if (this.isReferenced && !this.ended) this._setIdle(false);
      if (this._isEndDue) timers.setImmediate(() => this._endBeforeStart());
    } else {
      this.nativeHandle?.pause();
      if (this._mayIdle) this.notifyDrained();
    }
  }

  /** Nagle's algorithm off or on; returns 0 or the system's error number. */
  setNoDelay(isOn) {
    return this._closed ? 0 : bridge.setNoDelay(this.id, isOn ? 1 : 0);
  }

  /** Whether it keeps the event loop alive when it has nothing to write. */
  setReferenced(isReferenced) {
    this.isReferenced = isReferenced;
    this._updateIdle();
  }

  /** Whether the engine reads no further before somebody takes what it has read. */
  setReadStopped(isReadStopped) {
    this._isReadStopped = isReadStopped;
    this._updateIdle();
  }

  _updateIdle() {
    if (this._mayIdle) this._idleWhenWritten();
    else this._setIdle(false);
  }

  /**
   * Like one of libuv's, a socket that has nothing to write does not keep the event
   * loop alive where it has nothing to read, or was released by `unref()`; where
   * both sides have ended it is about to close.
   */
  get _mayIdle() {
    const isRead = this._isReading && !this._isReadStopped && !this.ended;
    const isAwaited = isRead && this.isReferenced;

    if (this.destroyed || isAwaited) return false;

    return !this.ended || !(this.ending || this._socket?.writableEnded);
  }

  /** What is sent stays until the program uncorks the socket, if ever. */
  get _isCorked() {
    return this._socket?.writableCorked > 0;
  }

  /** Something is to be written. */
  _wake() {
    if (this._isCorked) return;

    this._setIdle(false);
    if (this._mayIdle) this.notifyDrained();
  }

  _idleWhenWritten() {
    if (this._isCorked || this._isWritten) this._setIdle(true);
    else this.notifyDrained();
  }

  /** Nothing is to be written, or compressed before. */
  get _isWritten() {
    return !this.awaitingFirstRead && !this.isCompressing && this.pending === 0;
  }

  _setIdle(isIdle) {
    if (this._isIdle === isIdle) return;

    if (isIdle) this.makeIndirect();
    this._isIdle = isIdle;
    this._updateRef();
  }

  /** While it closes it keeps the event loop alive, whatever was said. */
  _updateRef() {
    if (!this._closed)
      this.nativeHandle.setRef(this.destroyed || !this._isIdle);
  }

  end() {
    if (this.ending || this.destroyed) return;

    this.ending = true;

    if (this._socket === null) {
      this.sendFin();
      scheduleFlush();
    } else {
      this._socket.end();
    }
  }

  /** @param {Error} [err] What the socket object is to emit, if there is one */
  destroy(err) {
    // It may have been closed, and its object be still open.
    if (this._socket !== null) this._socket.destroy(err);
    else if (!this.destroyed) this.close(false);
  }

  /** Closes the connection itself; by RST if asked so. */
  close(reset) {
    // What was sent leaves first.
    this.session?.takeNow();
    this.destroyed = true;
    this.isDestroyedHere = true;
    this._awaitClosing();
    this._discount();
    if (this._isIdle) this._updateRef();
    this._closedWhilePaused = this.isStarted && this._isHoldingBack && !reset;

    // What a paused WebSocket has not seen came before the end.
    if (this._closedWhilePaused) this.nativeHandle.closeAfterInput();
    else bridge.destroy(this.id, reset ? 1 : 0);
  }

  /** It ends now: libuv would tell so in this round. */
  _awaitClosing() {
    // By then it is closed, if the event loop drives.
    this._closingTurn ??= new ClosingTurn(() => bridge.poll(this.id));
  }

  /** Sends FIN after all that is queued. */
  sendFin() {
    if (this._closed) return;

    bridge.end(this.id);
    if (this.ended) this._awaitClosing();
    if (this._isIdle) this._wake();
  }

  /** Has WRITTEN reported once the first callback is due. */
  notifyWritten() {
    if (!this._closed) bridge.notifyWritten(this.id);
  }

  /** Has DRAINED reported once all that is queued is written. */
  notifyDrained() {
    if (!this._closed) bridge.notifyDrained(this.id);
  }

  get bytesRead() {
    return this._closed ? this._bytesRead : bridge.bytesRead(this.id);
  }

  /** How many there have been. */
  get sends() {
    return this._closed ? 0 : bridge.queued(this.id);
  }

  get bytesWritten() {
    return this._closed ? this._bytesWritten : bridge.bytesWritten(this.id);
  }

  get sharedFrames() {
    return this._closed ? this._sharedFrames : bridge.sharedFrames(this.id);
  }
}

// In common, as in `connection.js`.

NativeByteStream.prototype.destroyed = false;
NativeByteStream.prototype._closed = false;
/** It is closed, and that has still to be told; or its WebSocket has been. */
NativeByteStream.prototype.isCloseDue = false;
NativeByteStream.prototype.isCloseTold = false;
/** The peer's FIN has come. */
NativeByteStream.prototype.ended = false;
/** Our FIN is asked for. */
NativeByteStream.prototype.ending = false;
/** Who holds the socket has not said `unref()`. */
NativeByteStream.prototype.isReferenced = true;
/** Bytes are wanted. */
NativeByteStream.prototype._isReading = true;
/** What is read is kept, and that is all that is read until it is taken. */
NativeByteStream.prototype._isReadStopped = false;
/** The peer's FIN came before `start()`, and has still to be told. */
NativeByteStream.prototype._isEndDue = false;
/** Nothing is to be written, or read that anybody waits for. */
NativeByteStream.prototype._isIdle = false;
/** It was closed by who holds it, not by the peer or an error. */
NativeByteStream.prototype.isDestroyedHere = false;
/** When libuv would tell that it is closed. @type {?ClosingTurn} */
NativeByteStream.prototype._closingTurn = null;
/** It was paused when it was closed here. */
NativeByteStream.prototype._closedWhilePaused = false;
/** How many there were, once it is closed. */
NativeByteStream.prototype._bytesRead = 0;
NativeByteStream.prototype._bytesWritten = 0;
NativeByteStream.prototype._sharedFrames = 0;
/** That of a socket with TLS. */
NativeByteStream.prototype.session = null;
/** What OpenSSL said when it broke. @type {?string} */
NativeByteStream.prototype.tlsError = null;

module.exports = NativeByteStream;
