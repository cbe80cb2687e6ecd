'use strict';

const { ConnectionResource } = require('../native/async-context');
const { bridge, kinds, scheduleFlush, targets } = require('../native/bridge');
const { Endpoint, configOf } = require('../native/endpoint');
const { COMPRESS } = require('../native/frame-flags');
const { ClosingTurn, onceRoundIsOver } = require('../native/turns');
const { isSocketOriginal } = require('../node/node-originals');
const timers = require('../node/timers');
const Receiver = require('../receiver');
const { hearsLast, isClosedEarly } = require('./closing-order');
const CompressedSends = require('./compressed-sends');
const {
  copyStoresOf,
  enter,
  inheritContext,
  resourceOf
} = require('./connection-context');
const NativeByteStream = require('./native-byte-stream');
const Passthrough = require('./passthrough');
const refuseEnded = require('./refuse-ended');
const StreamReader = require('./stream-reader');

/** As in `src/engine/events/mod.rs`. */
const OF_TLS = 1 << 17;

const {
  BUFFERED_AMOUNT_LOW,
  CLOSED,
  CHUNK,
  DRAINED,
  END,
  FAILED,
  READ_STOPPED,
  WRITTEN
} = kinds;

/**
 * A connection of the engine: accepted, dialled or adopted. The engine decodes
 * and makes its frames, until it is detached. What its socket does is the business of
 * NativeByteStream, what its WebSocket hears that of Connection: three classes of one
 * object, as every connection would pay for more objects with memory.
 */
class NativeConnection extends NativeByteStream {
  /**
   * @param {number} id That of the connection
   * @param {?ConnectionResource} [resource] Whose async context its events have;
   *     those of a connection that was accepted have one of their own
   */
  constructor(id, resource = null) {
    super(id, resource);

    /** Takes the events until `start()`. */
    this._listener = null;
    /** What was read of the peer's frames before `start()`. */
    this.early = undefined;
    /** An upgrade socket has given it to a WebSocket. */
    this.isClaimed = false;

    targets[id] = this;
  }

  /** Which way its bytes go, for tests and support. */
  get route() {
    if (this.isDetached) return 'stream of the engine';

    return this.session === null ? 'engine' : 'engine, TLS';
  }

  /** Events before `start()` go to `listener(kind, value, data)`. */
  listen(listener) {
    if (this.server !== null && listener === null) this.isInContext = false;
    this._listener = listener;
  }

  start(websocket, handler, options) {
    // As Node's streams take it, it may be text.
    let early =
      typeof this.early === 'string' ? Buffer.from(this.early) : this.early;

    // Who reads the socket already gets from it what came along, too.
    if (this.isParked && this._socket?.isReadWatched)
      this.startPassthrough(false);

    if (this.passthrough !== null) {
      this.passthrough.putBack(early);
      early = undefined;
    }

    super.start(websocket, handler, options);
    this._listener = null;
    if (this._isReadStopped) this.setReadStopped(false);
    // A program that destroyed the socket before wants nothing of the peer.
    if (this.destroyed) this._hasGap = true;

    if (bridge.open(this.id, early, ...configOf(options)) === 1) {
      // In the tick in which a stream of Node's begins to flow.
      timers.nextTick(() => bridge.poll(this.id));
    }
    this.early = undefined;
    if (options.extensions['permessage-deflate']) this._awaitFirstRead();
    if (this._socket !== null) this._socket.onStarted();
    if (
      !Receiver.isOriginal() ||
      !isSocketOriginal() ||
      this.passthrough !== null ||
      this._socket?.isReadWatched
    ) {
      this.detach();
    }
    scheduleFlush();
  }

  /**
   * With permessage-deflate it matters what the peer sent right after its
   * handshake: its messages, its close frame, its FIN. As with `ws`, where all
   * compressing takes a while, programs see that before anything compressed
   * leaves, and messages one by one. It ends with the first read.
   */
  _awaitFirstRead() {
    this.awaitingFirstRead = this._eventQueue.isOneATime = true;
    // What is sent meanwhile is to be compressed.
    this._setIdle(false);
    this.notifyDrained();
  }

  /** The engine compresses messages in order, until it is detached. */
  compressesLater() {
    return this.isDetached;
  }

  get isCompressing() {
    return this._compressedSends !== null && this._compressedSends.isBusy;
  }

  onceCompressed(callback) {
    this._compressedSends.onceDone(callback);
  }

  /** A program may see what its `Receiver` makes of the bytes. */
  get isReceiverObserved() {
    return this.isDetached;
  }

  /** JavaScript carries the bytes. */
  get isDetached() {
    return this._reader !== null;
  }

  /**
   * Somebody wants to see the bytes, or to add some, or what is made of them:
   * from here on they go through the socket object and a `Receiver`, where all
   * listeners see them, at the pace of `ws`.
   */
  detach() {
    this.makeIndirect();

    const { socket, websocket, _handler: handler } = this;
    const { endpoint: id, task } = this.nativeHandle.detach();
    const endpoint = new Endpoint(id);

    endpoint.deferInflation();
    this.setReading(true);
    this._reader = new StreamReader(
      this,
      socket,
      handler.createReceiver(websocket, endpoint)
    );
    this._reader.start();
    this._reader.takeOver(this._eventQueue.takeAll(), task);
    if (this.isPaused) socket.onPaused();
  }

  /**
   * Whether a listener of this event of the socket has to see the bytes, or has
   * to see when the socket closes, as that may be while messages are still being
   * inflated.
   */
  isObservedBy(event) {
    switch (event) {
      case 'data':
      case 'readable':
        return true;
      case 'close':
      case 'end':
        return (
          this.isStarted &&
          this.websocket._extensions['permessage-deflate'] !== undefined
        );
      default:
        return false;
    }
  }

  /** What decodes the bytes, if accessed. */
  get receiver() {
    if (!this.isDetached && !this.destroyed) this.detach();
    if (this.isDetached) return this._reader.receiver;

    this._idleReceiver ??= this._handler.createReceiver(this.websocket);

    return this._idleReceiver;
  }

  /** What `async_hooks` know it by. */
  get resource() {
    return resourceOf(this);
  }

  /** Takes events in its async context. */
  enter(events) {
    enter(this, events);
  }

  /**
   * Node no longer reads the socket, though its handle may not be closed yet.
   *
   * @return {boolean} Whether something has come meanwhile: see `deliverEarly()`
   */
  onHandedOver(type, handle, resource) {
    inheritContext(this, type, handle, resource);

    return bridge.finishAdoption(this.id) === 1;
  }

  /**
   * Delivers what came before Node was done with the socket, and not with the
   * next poll: with ws it is told in the turn in which it came.
   */
  deliverEarly() {
    bridge.poll(this.id);
  }

  /** AsyncLocalStorages have here what they have in the context of a handle. */
  copyStoresOf(handle) {
    copyStoresOf(handle, this);
  }

  /** Called with the events of one chunk, or more of one. */
  receive(events) {
    if (this._socket !== null) this._socket.noteActivity();

    // What was read before terminate() is delivered, what comes later is not;
    // what is on its way to a paused WebSocket came before. Nothing is left out
    // in between.
    const isWanted =
      !this._hasGap &&
      (!this.destroyed || this._closedWhilePaused || events.areFromEarlierRead);

    // A chunk that has begun is delivered whole.
    let isFirst = !events.areContinued;

    if (isFirst && this._isKeepingChunk !== this._isKeeping) {
      this._isKeepingChunk = this._isKeeping;
    }

    while (events.next()) {
      const { kind } = events;

      // It was given away.
      if (this._closed) return;

      // What a listener throws must not keep the later events from it.
      try {
        if (kind >= END) this._control(kind, events);
        else if (this.isDetached) this._reader.receiver.take(events);
        else if (!isWanted) this._hasGap = true;
        else if (!this._isKeepingChunk) this._deliver(events);
        else {
          this._eventQueue.keep(events, isFirst);
          isFirst = false;
        }
      } catch (err) {
        bridge.raise(err);
      }
    }
  }

  _control(kind, events) {
    if (kind === WRITTEN) {
      this._callbacks.callWritten();
    } else if (kind === BUFFERED_AMOUNT_LOW) {
      this.onBufferedAmountLow();
    } else if (kind === DRAINED) {
      if (this.awaitingFirstRead) this._endFirstRead();
      if (this._socket !== null) this._socket.onDrained();
      if (this._mayIdle) this._idleWhenWritten();
    } else if (kind === CLOSED) {
      if ((events.value & OF_TLS) !== 0) this.tlsError = String(events.data);
      this._onClosed(events.value);
    } else if (kind === FAILED) {
      // If not, what it was opened with comes first.
      if (!this.isStarted && !this.destroyed) this.close(false);
    } else if (kind === END && events.value === 1) {
      if (this._listener !== null) this._listener(kind, 0);
      this._isEndDue = true;
      // As late as libuv, which reads a FIN in a round of its own.
      timers.setImmediate(() => this._endBeforeStart());
    } else if (kind === END) {
      this.ended = true;
      if (this.isDetached) this._endSocket();
      else if (this._ownEventQueue === null) this._deliver(events);
      else this._eventQueue.receiveEnd(events);
      if (this._mayIdle) this.notifyDrained();
    } else if (kind === READ_STOPPED) {
      if (this.isParked) this.setReadStopped(true);
    } else if (kind === CHUNK) {
      if (this.passthrough === null) this.socket.onChunk(events.data);
      else this.passthrough.receive(events.data);
    } else if (this._listener !== null) {
      this._listener(kind, events.value, events.data);
    }
  }

  /**
   * Bytes are delivered as they come, to the socket, from here on; with
   * `withHead` those of a head, too, if its event was not seen.
   */
  startPassthrough(withHead) {
    this.passthrough = new Passthrough(this, withHead);
  }

  /** What comes after a head is kept until it is known whose it is. */
  get isParked() {
    return !this.isStarted && this.passthrough === null && !this._closed;
  }

  _onClosed(reason) {
    targets[this.id] = undefined;
    this._callbacks?.noteWritten();
    if (this.isStarted || this._socket !== null) {
      this._bytesRead = this.bytesRead;
      this._bytesWritten = this.bytesWritten;
      this._sharedFrames = this.sharedFrames;
    }
    this.id = -1;
    this.destroyed = true;
    this._closed = true;
    // The context goes with the id, and the socket may close later.
    if (this.isInContext && this._socket !== null) {
      this.asyncResource = new ConnectionResource('TCPWRAP');
    }

    const isServerClosed = this._discount();
    const isEarly = isClosedEarly(this);

    if (reason === 0 && !this.isStarted) this._endBeforeClosing();

    // The program may still read from the socket what came before.
    this._isIdle = this._socket !== null && this._socket.isUnread(reason);
    if (!this._isIdle && !isEarly) this._disconnect();

    this._callbacks?.end(reason);
    if (this.awaitingFirstRead) this._endFirstRead();

    if (this._listener !== null) this._listener(CLOSED, reason);
    // The socket's 'close' comes first, and with it ours.
    const tell = () => {
      this.isCloseDue = false;
      this.isCloseTold = this.isStarted;
      if (this._socket !== null) this._socket.onClosed(reason);
      else this.onSocketClosed();
    };

    this.isCloseDue = this.isStarted;

    if (hearsLast(this)) {
      onceRoundIsOver(tell);
      return;
    }

    if (this.isStarted) this._closingTurn ??= new ClosingTurn();

    if (this._closingTurn?.isOver === false) this._closingTurn.once(tell);
    else if (isServerClosed) timers.nextTick(tell);
    else tell();
  }

  /** FIN is told after all that came before it, even if that is kept. */
  emitEvent(kind, value, data, fragments) {
    if (kind === END && !this.isDetached) this._endSocket();
    super.emitEvent(kind, value, data, fragments);
  }

  /** The stream of a detached connection has ended. */
  _onEnd() {
    this.emitEvent(END, 0);
  }

  /** The socket is about to close, with this error. */
  onSocketError() {
    this._disconnect();
  }

  /** The socket is closed, and its object has emitted 'close'. */
  onSocketClosed() {
    this._disconnect();
    if (this.isDetached) this._reader.close();
    else if (this.isStarted) this._closeAfter(this.ended);
  }

  _disconnect() {
    if (this.isStarted) this._handler.disconnect(this.websocket);
  }

  transmit(data, flags, key, cb) {
    if (refuseEnded(this._socket, cb)) return;

    if (flags & COMPRESS || this._compressedSends !== null) {
      this._compressedSends ??= new CompressedSends(this);
      cb = this._compressedSends.add(data, flags, cb);
    }

    if (this.isDetached) {
      bridge.write(this.id, this._reader.endpoint.frame(data, flags, key));
    } else {
      bridge.send(this.id, data, flags, key);
    }

    this.onSent(cb);
  }

  /** The engine takes frames as they are, and they come after all that was sent. */
  get takesFrames() {
    return (
      !this.isDetached &&
      !this.destroyed &&
      !this.ending &&
      !this._socket?.writableEnded &&
      !this.isCompressing &&
      !this.awaitingFirstRead
    );
  }

  /** Bytes that were sent and are not written, as `bufferedAmount` counts them. */
  get bufferedBytes() {
    const compressed = this._compressedSends?.bufferedBytes ?? 0;

    return this.writableLength + compressed;
  }

  /** The same without a try to write, and with what else waits in JavaScript. */
  get queuedBytes() {
    return this.bytesToCompress + this._queuedLength;
  }

  /** Bytes of what is compressed, and of what was sent after it. */
  get bytesToCompress() {
    return this._compressedSends?.bufferedBytes ?? 0;
  }

  /** Bytes that came, and bytes that the kernel took. */
  get bytesReceived() {
    return this.bytesRead;
  }

  get bytesSent() {
    return this.bytesWritten;
  }

  /** The same: a number that grows as the peer reads. */
  get bytesTaken() {
    return this.bytesWritten;
  }

  /** See `src/engine/connection/liveness.rs`. */
  checkAlive(now, silence, timeout) {
    return bridge.checkAlive(this.id, now, silence, timeout);
  }

  pause() {
    super.pause();
    if (this.isDetached) this._reader.pause();
    else if (this._socket !== null) this._socket.onPaused();
  }

  resume() {
    super.resume();
    if (this.isDetached) this._reader.resume();
    else if (this._socket !== null) this._socket.onResumed();
  }

  /** The endpoint discards what comes after a close frame or a violation. */
  stopReceiving() {
    this.resume();
    if (this.isDetached) this._reader.stop();
  }
}

// In common, as in `connection.js`.

NativeConnection.prototype.isStreamEndpoint = false;
/** While the socket is an ordinary one. @type {?Passthrough} */
NativeConnection.prototype.passthrough = null;
/** A message was not delivered: none after it will be. */
NativeConnection.prototype._hasGap = false;
/** The chunk that comes is kept until the WebSocket is resumed. */
NativeConnection.prototype._isKeepingChunk = false;
/** Those that are compressed, once there are some. @type {?CompressedSends} */
NativeConnection.prototype._compressedSends = null;
/** What `receiver` is once nothing is received any more. */
NativeConnection.prototype._idleReceiver = null;

module.exports = NativeConnection;
