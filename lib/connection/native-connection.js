'use strict';

const {
  ConnectionResource,
  createAccepted,
  hasContextFrames
} = require('../native/async-context');
const native = require('../native/addon');
const {
  bridge,
  hasUv,
  kinds,
  scheduleFlush,
  targets
} = require('../native/bridge');
const { Endpoint, configOf } = require('../native/endpoint');
const CompressedSends = require('./compressed-sends');
const { COMPRESS } = require('../native/frame-flags');
const StreamReader = require('./stream-reader');
const Connection = require('./connection');
const { isSocketOriginal, isWriteOriginal } = require('../node/node-originals');
const Passthrough = require('./passthrough');
const Receiver = require('../receiver');
const NativeSocket = require('./native-socket');
const onceDrained = require('./once-drained');
const { EMPTY } = require('../payload');
const timers = require('../node/timers');
const WriteCallbacks = require('./write-callbacks');

/** The addon's contexts have no frames, and without libuv there are none. */
const hasNativeContexts = hasUv && !hasContextFrames;

/** The longest queue that the addon can be told of. */
const MAX_MARK = 0xffffffff;

const { CLOSED, CHUNK, DRAINED, END, FAILED, LOW, WRITTEN } = kinds;

/**
 * A connection of the engine: accepted, dialled or adopted.
 */
class NativeConnection extends Connection {
  /**
   * @param {number} id That of the connection
   * @param {?ConnectionResource} [resource] Whose async context its events have;
   *     those of a connection that was accepted have one of their own
   */
  constructor(id, resource = null) {
    super();

    this.isJsDriven = false;
    /** `dispatch()` calls in the async context of its events, or they have none. */
    this.isInContext = false;
    this._resource = resource;
    this.destroyed = false;
    /** The peer's FIN has come. */
    this.ended = false;
    /** Our FIN is asked for. */
    this.ending = false;
    /** Who holds the socket has not said `unref()`. */
    this.isReferenced = true;
    /** Bytes are wanted. */
    this._isReading = true;
    /** The peer's FIN came while none were, before `start()`. */
    this._isEndDue = false;
    /** Nothing is to be read or written. */
    this._isIdle = false;
    /** What was read of the peer's frames before `start()`. */
    this.head = undefined;
    this.id = id;
    this._nativeHandle = null;
    /** An upgrade socket has given it to a WebSocket. */
    this.isClaimed = false;
    /** A message was not delivered: none behind it will be. */
    this._hasGap = false;
    /** The chunk that comes is kept until the WebSocket is resumed. */
    this._isKeepingChunk = false;
    /** It was paused when it was closed here. */
    this._closedWhilePaused = false;
    /** Those of sends, once there are some. */
    this._callbacks = null;
    /** Those that are compressed, once there are some. */
    this._compressedSends = null;
    this._socket = null;
    this._closed = false;
    /** How many there were, once it is closed. */
    this._bytesRead = 0;
    this._bytesWritten = 0;
    /** What `receiver` is once nothing is received any more. */
    this._idleReceiver = null;
    /** The http.Server that it was accepted for. */
    this.server = null;
    /** It is one of the server's connections, and has no socket to tell. */
    this._isCounted = false;
    /** Takes the events until `start()`. */
    this._listener = null;
    /** While the socket is an ordinary one. */
    this.passthrough = null;

    targets[id] = this;
  }

  /** What `async_hooks` know it by, made for who asks for it. */
  get resource() {
    if (this._resource === null) {
      this._resource = createAccepted();
      this._resource.connection = this;
    }

    return this._resource;
  }

  /** Takes events in its async context. Most connections that are idle have none. */
  enter(events) {
    const { _resource: resource } = this;

    if (resource === null && hasUv) {
      // This is called in nobody's context.
      this._createContext(this, 'TCPWRAP');
    } else if (resource !== null && hasNativeContexts) {
      resource.runInAsyncScope(() => this._createContext(resource, 'OXWS'));
    } else {
      this.resource.runInAsyncScope(this.receive, this, events);
      return;
    }

    bridge.runInContext(this.id, () => this.receive(events));
  }

  /** Has the addon call in the context in which this is called. */
  _createContext(resource, type) {
    bridge.createContext(this.id, resource, type);
    this.isInContext = true;
  }

  /** For who looks for what keeps the process alive: it is the resource. */
  hasRef() {
    return !this._closed;
  }

  /**
   * The socket's former handle is closed; this is called in its async context.
   *
   * @param {string} type That of the handle
   */
  onHandedOver(type) {
    if (hasNativeContexts) {
      this._createContext(this, type);
    } else {
      this._resource = new ConnectionResource(type);
      this._resource.connection = this;
    }
    bridge.finishAdoption(this.id);
  }

  /** The net.Socket over this connection, made for who asks for it. */
  get socket() {
    if (this._socket === null) {
      this._socket = new NativeSocket(this);
    }

    return this._socket;
  }

  /** The socket, for who may look into it. */
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
   * As a socket of Node's does when it is destroyed.
   *
   * @return {boolean} Whether the server was waiting for that
   */
  _discount() {
    const { server } = this;

    if (!this._isCounted || this._socket !== null) return false;

    this._isCounted = false;
    server._connections--;
    server._emitCloseIfDrained();

    return server._connections === 0 && !server.listening;
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
      this._listener = null;
      this._isCounted = false;
    }

    return released;
  }

  /** A socket that Node made is this connection's from now on. */
  adoptSocket(socket) {
    this._socket = socket;
  }

  /** Events before `start()` go to `listener(kind, value, data)`. */
  listen(listener) {
    if (this.server !== null && listener === null) this.isInContext = false;
    this._listener = listener;
  }

  start(websocket, handler, options) {
    super.start(websocket, handler, options);
    this._listener = null;
    // Whoever destroyed the socket before wants nothing of the peer.
    this._hasGap = this.destroyed;

    // As Node's streams take it, the head may be text.
    const head =
      typeof this.head === 'string' ? Buffer.from(this.head) : this.head;

    bridge.open(this.id, head, ...configOf(options));
    this.head = undefined;
    if (options.extensions['permessage-deflate']) this._awaitFirstRead();
    if (this._socket !== null) this._socket.onStarted();
    if (
      !Receiver.isOriginal() ||
      !isSocketOriginal() ||
      this._socket?.isReadWatched
    ) {
      this.detach();
    }
    scheduleFlush();
  }

  /**
   * With permessage-deflate it matters what the peer sent right behind its
   * handshake: its messages, its close frame, its FIN. As with `ws`, where all
   * compressing takes a while, programs see that before anything compressed
   * leaves, and messages one by one. It is over with the first turn.
   */
  _awaitFirstRead() {
    this.awaitingFirstRead = this._eventQueue.isOneATime = true;
    this.notifyDrained();
  }

  get isWriteObserved() {
    return this._socket === null
      ? !isWriteOriginal()
      : this._socket.isWriteObserved;
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
   * Whether who listens to this event of the socket has to see the bytes, or,
   * as the socket may close while messages are still being inflated, has to see
   * that.
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

  /** What decodes the bytes, for who looks at it. */
  get receiver() {
    if (!this.isDetached && !this.destroyed) this.detach();
    if (this.isDetached) return this._reader.receiver;

    this._idleReceiver ??= this._handler.createReceiver(this.websocket);

    return this._idleReceiver;
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
    let isFirst = !events.goOn;

    if (isFirst) this._isKeepingChunk = this._eventQueue.isKeeping;

    while (events.next()) {
      const { kind } = events;

      // It was given away.
      if (this._closed) return;

      // What a listener throws must not take the events behind along.
      try {
        if (kind >= END) this._control(kind, events);
        else if (this.isDetached) this._reader.receiver.take(events);
        else if (!isWanted) this._hasGap = true;
        else if (!this._isKeepingChunk) this._eventQueue.deliver(events);
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
      this._callbacks.settle();
    } else if (kind === LOW) {
      this.onLow();
    } else if (kind === DRAINED) {
      if (this.awaitingFirstRead) this._endFirstRead();
      if (this._socket !== null) this._socket.onDrained();
      if (this._mayIdle) this._idleWhenWritten();
    } else if (kind === CLOSED) {
      this._onClosed(events.value);
    } else if (kind === FAILED) {
      // If not, what it was opened with comes first.
      if (!this.isStarted && !this.destroyed) this.close(false);
    } else if (kind === END && events.value === 1) {
      if (this._listener !== null) this._listener(kind, 0);
      // As late as libuv, which reads a FIN in a round of its own.
      timers.setImmediate(() => this._endEarly());
    } else if (kind === END) {
      this.ended = true;
      if (this.isDetached) this._endSocket();
      else if (this._eventQueue.hasChunks) this._eventQueue.keep(events, false);
      else this._eventQueue.deliver(events);
      if (this._mayIdle) this.notifyDrained();
    } else if (kind === CHUNK) {
      if (this.passthrough === null) this.socket.onChunk(events.data);
      else this.passthrough.receive(events.data);
    } else if (this._listener !== null) {
      this._listener(kind, events.value, events.data);
    }
  }

  /**
   * Bytes are delivered as they come, to the socket, from here on; with
   * `hasHead` those of a head, too, if its event was not seen.
   */
  startPassthrough(hasHead) {
    this.passthrough = new Passthrough(this, hasHead);
  }

  /** The peer has ended before frames are exchanged. */
  _endEarly() {
    // What it was started with comes first, and then this once more.
    if (this.isStarted || this._closed) return;

    // Who reads nothing sees no end, either.
    this._isEndDue = !this._isReading;
    if (this._isEndDue || this.ended) return;

    this.ended = true;
    this._endSocket();
    if (this._mayIdle) this.notifyDrained();
  }

  _onClosed(reason) {
    targets[this.id] = undefined;
    if (this._socket !== null) {
      this._bytesRead = this.bytesRead;
      this._bytesWritten = this.bytesWritten;
    }
    this.id = -1;
    this.destroyed = true;
    this._closed = true;
    // The context goes with the id, and the socket may close later.
    if (this.isInContext && this._socket !== null) {
      this._resource = new ConnectionResource('TCPWRAP');
    }

    const isLast = this._discount();

    // Whoever is to read what came before may still take his time.
    this._isIdle = this._socket !== null && this._socket.isUnread(reason);
    if (!this._isIdle) this._disconnect();

    this._callbacks?.fail(reason);
    if (this.awaitingFirstRead) this._endFirstRead();

    if (this._listener !== null) this._listener(CLOSED, reason);
    // The socket's 'close' comes first, and with it ours; that of a server
    // which waits for its last connection comes before both.
    if (this._socket !== null) this._socket.onClosed(reason);
    else if (isLast) timers.setImmediate(() => this.onSocketClosed());
    else this.onSocketClosed();
  }

  /** FIN is told behind all that came before it, even if that is kept. */
  emitEvent(kind, value, data, fragments) {
    if (kind === END && !this.isDetached) this._endSocket();
    super.emitEvent(kind, value, data, fragments);
  }

  _endSocket() {
    if (this._socket !== null) this._socket.onEnded();
  }

  /** The stream of a detached connection has ended. */
  _onEnd() {
    this.emitEvent(END, 0);
  }

  /** The socket is closed, and whoever watches its object knows. */
  onSocketClosed() {
    this._disconnect();
    if (this.isDetached) this._reader.close();
    else if (this.isStarted) this._closeAfter(this.ended);
  }

  _disconnect() {
    if (this.isStarted) this._handler.disconnect(this.websocket);
  }

  get isClosed() {
    return this._closed;
  }

  transmit(data, bits, key, cb) {
    if (bits & COMPRESS || this._compressedSends !== null) {
      this._compressedSends ??= new CompressedSends(this);
      cb = this._compressedSends.add(data, bits, cb);
    }

    if (this.isDetached) {
      bridge.write(this.id, this._reader.endpoint.frame(data, bits, key));
    } else {
      bridge.send(this.id, data, bits, key);
    }

    this.onSent(cb);
  }

  write(list, cb) {
    for (const chunk of list) bridge.write(this.id, chunk);
    this.onSent(cb);
  }

  /** Something was sent. */
  onSent(cb) {
    if (this._isIdle) {
      if (this._closed) {
        // It has ended, and says so.
        this._socket.write(EMPTY, cb);
        return;
      }
      this._wake();
    }
    if (cb !== undefined) {
      this._callbacks ??= new WriteCallbacks(this);
      this._callbacks.add(cb);
    }

    if (this._socket !== null) this._socket.onQueued();
    scheduleFlush();
  }

  /** The engine takes frames as they are, and they come after all that was sent. */
  get takesFrames() {
    return (
      !this.isDetached &&
      !this.destroyed &&
      !this.ending &&
      !this.isCompressing &&
      !this.awaitingFirstRead
    );
  }

  /** It was sent a frame that others got, too. */
  onFrameSent() {
    if (this._isIdle) this._wake();
    if (this._socket !== null) this._socket.onQueued();
  }

  /** Bytes that the kernel does not have, after a try to write them. */
  get pending() {
    return this.destroyed ? 0 : bridge.pending(this.id);
  }

  get writableLength() {
    return this._socket === null ? this.pending : this._socket.writableLength;
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

  get _queuedLength() {
    const own = this._socket?.ownLength ?? 0;

    return own + (this._closed ? 0 : bridge.backlog(this.id));
  }

  /** Has `onLow()` called once no more than so many bytes are queued. */
  notifyLow(mark) {
    if (this._closed) return;

    // What the socket object holds back, because it is corked, leaves by that.
    if (this._socket?.ownLength > 0) {
      onceDrained(this._socket, () => this.onLow());
      this.notifyDrained();
    } else {
      bridge.notifyLow(this.id, Math.min(mark, MAX_MARK));
    }
  }

  /** See `src/engine/connection/liveness.rs`. */
  checkAlive(now, silence, patience) {
    return bridge.checkAlive(this.id, now, silence, patience);
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

  /** Has bytes read, or not. */
  setReading(isReading) {
    this._isReading = isReading;

    if (isReading) {
      this.nativeHandle?.resume();
      if (!this.ended) this._setIdle(false);
      if (this._isEndDue) timers.setImmediate(() => this._endEarly());
    } else {
      this.nativeHandle?.pause();
      if (this._mayIdle) this.notifyDrained();
    }
  }

  /** Whether it keeps the event loop alive while it is not idle. */
  setReferenced(isReferenced) {
    this.isReferenced = isReferenced;
    this._updateRef();
  }

  /**
   * Like one of libuv's, a socket that has nothing to read and to write does not
   * keep the event loop alive; where both sides have ended it is about to close.
   */
  get _mayIdle() {
    if (this.destroyed || (this._isReading && !this.ended)) return false;

    return !this.ended || !(this.ending || this._socket?.writableEnded);
  }

  /** Something is to be written. */
  _wake() {
    this._setIdle(false);
    if (this._mayIdle) this.notifyDrained();
  }

  _idleWhenWritten() {
    if (this.pending === 0) this._setIdle(true);
    else this.notifyDrained();
  }

  _setIdle(isIdle) {
    if (this._isIdle === isIdle) return;

    this._isIdle = isIdle;
    this._updateRef();
  }

  /** While it closes it keeps the event loop alive, whatever was said. */
  _updateRef() {
    if (this._closed) return;

    this.nativeHandle.setRef(
      this.destroyed || (this.isReferenced && !this._isIdle)
    );
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

  destroy() {
    // It may have been closed, and its object be still open.
    if (this._socket !== null) this._socket.destroy();
    else if (!this.destroyed) this.close(false);
  }

  /** Closes the connection itself; by RST if asked so. */
  close(reset) {
    this.destroyed = true;
    this._discount();
    if (this._isIdle || !this.isReferenced) this._updateRef();
    this._closedWhilePaused =
      this.isStarted && this._eventQueue.isKeeping && !reset;

    // What a paused WebSocket has not seen came before the end.
    if (this._closedWhilePaused) this.nativeHandle.closeAfterInput();
    else bridge.destroy(this.id, reset ? 1 : 0);
  }

  /** Sends FIN after all that is queued. */
  sendFin() {
    if (this._closed) return;

    bridge.end(this.id);
    if (this._isIdle) this._wake();
  }

  /** Has the callbacks told when the first of them is due. */
  notifyWritten() {
    if (!this._closed) bridge.notifyWritten(this.id);
  }

  /** Has the socket told when all that is queued is written. */
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

  /** The endpoint discards what comes after a close frame or a violation. */
  stopReceiving() {
    this.resume();
    if (this.isDetached) this._reader.stop();
  }
}

module.exports = NativeConnection;
