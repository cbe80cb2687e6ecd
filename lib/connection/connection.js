'use strict';

const { kExtra, kSender, kSubscribers } = require('../constants');
const { AFTER_INFLATION, bridge, kinds } = require('../native/bridge');
const { createViolation } = require('../errors/protocol-errors');
const { EMPTY } = require('../payload');
const timers = require('../node/timers');
const EventQueue = require('./event-queue');

const { TEXT, BINARY, CLOSE, PING, PONG, VIOLATION, END, CLOSED } = kinds;

/** The last event of a connection. */
const LAST = Object.freeze({
  kind: CLOSED,
  value: 0,
  data: EMPTY,
  fragments: undefined
});

/**
 * Whom a connection tells what comes of it. Every function gets the WebSocket
 * first; they are called in the order of the stream, and `close` is the last.
 *
 * @typedef {Object} Handler
 * @property {(websocket: WebSocket, data: Buffer, isBinary: boolean,
 *     lengths: number[] | undefined) => void} message A message; of a
 *     fragmented binary one also the lengths of its fragments
 * @property {(websocket: WebSocket, data: Buffer) => void} ping
 * @property {(websocket: WebSocket, data: Buffer) => void} pong
 * @property {(websocket: WebSocket, code: number, reason: Buffer) => void
 *     } conclude The close frame
 * @property {(websocket: WebSocket, err: Error, isSync: boolean) => void
 *     } violation The peer broke the protocol or a limit; nothing more will be
 *     decoded. `isSync`: nothing that came with it takes a while with ws
 * @property {(websocket: WebSocket) => void} end The peer ended its side
 * @property {(websocket: WebSocket) => void} disconnect Nothing can be sent any
 *     more; what was received may still be told
 * @property {(websocket: WebSocket) => void} close The connection is gone
 * @property {(websocket: WebSocket) => (boolean|undefined)} hasBegunClosing
 *     Whether the peer's close frame answered ours, once it has come
 * @property {(websocket: WebSocket) => boolean} isCloseExpected Whether the
 *     WebSocket was about to end when its socket was closed
 * @property {(websocket: WebSocket, endpoint?: Endpoint) => Receiver
 *     } createReceiver Makes what decodes the bytes where they come as a stream
 *
 * @typedef {import('../native/endpoint').Endpoint} Endpoint
 * @typedef {import('../receiver')} Receiver
 * @typedef {import('../websocket')} WebSocket
 */

/**
 * What a WebSocket talks to: frames out, events in. `NativeConnection` is a
 * socket of the engine, `StreamConnection` any Duplex. What an `EventQueue` lets
 * pass of the events goes to the handler record.
 */
class Connection {
  constructor() {
    this.websocket = null;
    this._handler = null;
    /** How many messages were delivered. */
    this.messagesReceived = 0;
  }

  /** What events wait in. Most connections have none: nothing ever waits. */
  get _eventQueue() {
    return (this._ownEventQueue ??= new EventQueue(this));
  }

  /** Whether a chunk that comes now has to wait. */
  get _isKeeping() {
    return this._ownEventQueue !== null && this._ownEventQueue.isKeeping;
  }

  /** Whether there are events that wait for `resume()`. */
  get _isHoldingBack() {
    return this._ownEventQueue !== null && this._ownEventQueue.isHoldingBack;
  }

  /** Whether what comes is of a chunk whose messages have macrotasks. */
  get _isBusy() {
    return this._ownEventQueue !== null && this._ownEventQueue.isBusy;
  }

  /** Whether chunks wait. */
  get _hasChunks() {
    return this._ownEventQueue !== null && this._ownEventQueue.hasChunks;
  }

  /** Emits one event, unless it has to wait. */
  _deliver(event) {
    if (this._ownEventQueue === null) {
      this.emitEvent(event.kind, event.value, event.data, event.fragments);
    } else {
      this._ownEventQueue.deliver(event);
    }
  }

  /** A program wants to see what is written. */
  get isWriteObserved() {
    return false;
  }

  /** Messages that were given to it are being compressed. */
  get isCompressing() {
    return false;
  }

  /** Calls back once, when they are. */
  onceCompressed(callback) {
    callback();
  }

  /** The connection is closed: what is being compressed is lost. */
  abortCompression() {}

  /** No message is wanted any more: a close frame came, or an error. */
  ignoreInput() {
    this._reader?.ignore();
  }

  /** The receiver takes more. */
  onReceiverDrain() {
    if (!this.isPaused) this._reader?.resumeSocket();
  }

  /** Has no more bytes brought in; what was on its way still comes. */
  _stopReading() {}

  /** Has bytes brought in again. */
  _startReading() {}

  /** Something has left a queue of JavaScript's; it may wait elsewhere soon. */
  onDequeued() {
    if (this.isDrainAwaited) timers.nextTick(onBufferedAmountLow, this);
  }

  /** `bufferedAmount` has fallen: that may be enough for somebody who waits. */
  onBufferedAmountLow() {
    this.websocket[kExtra].onBufferedAmountLow(this.websocket);
  }

  /** From here on JavaScript has to hear of what is sent. */
  makeIndirect() {
    this.isDirect = false;

    const subscribers = this.websocket?.[kSubscribers];

    if (subscribers === undefined) return;

    for (const subscriber of subscribers) subscriber.makeIndirect();
  }

  /** How many messages were sent, those that others got, too, among them. */
  get messagesSent() {
    return this.websocket[kSender]._messagesSent + this.sharedFrames;
  }

  /** How many frames were sent that others got, too. */
  get sharedFrames() {
    return 0;
  }

  /** Frames are exchanged. */
  get isStarted() {
    return this._handler !== null;
  }

  get isPaused() {
    return this._ownEventQueue !== null && this._ownEventQueue.isPaused;
  }

  /** Received binary messages are of this type from here on. */
  setBinaryType(type) {
    if (this._reader !== null) this._reader.receiver._binaryType = type;
  }

  /** Calls back once, when that was read or the connection is closed. */
  onceFirstReadDone(callback) {
    this._onFirstReadDone = callback;
  }

  _endFirstRead() {
    const onFirstReadDone = this._onFirstReadDone;

    this.awaitingFirstRead = this._eventQueue.isOneATime = false;
    this._onFirstReadDone = null;
    if (onFirstReadDone !== null) onFirstReadDone();
  }

  /** Remembers to whom events go. Subclasses begin to deliver. */
  start(websocket, handler, options) {
    this.websocket = websocket;
    this._handler = handler;
    if (!options.allowSynchronousEvents) this._eventQueue.isSynchronous = false;
  }

  /** Called with what the queue lets pass. What listeners throw is uncaught. */
  emitEvent(kind, value, data, fragments) {
    const { websocket, _handler: handler } = this;

    try {
      switch (kind) {
        case TEXT:
          this.messagesReceived++;
          handler.message(websocket, data, false, undefined);
          break;
        case BINARY:
          this.messagesReceived++;
          handler.message(websocket, data, true, fragments);
          break;
        case PING:
          handler.ping(websocket, data);
          break;
        case PONG:
          handler.pong(websocket, data);
          break;
        case CLOSE:
          handler.conclude(websocket, value, data);
          break;
        case VIOLATION:
          handler.violation(
            websocket,
            createViolation(value & 0x7f, value >>> 8),
            (value & AFTER_INFLATION) === 0 && !this._isBusy
          );
          break;
        case END:
          handler.end(websocket);
          break;
        case CLOSED:
          handler.close(websocket);
          break;
      }
    } catch (err) {
      bridge.raise(err);
    }
  }

  onQueueFull() {
    this._stopReading();
  }

  onQueueRoom() {
    this._startReading();
  }

  onQueueDrained() {}

  /**
   * The socket is closed. After an orderly end our 'close' is the first to be
   * heard of it; after an abrupt one who watches the socket hears it first. What
   * was kept is heard before either, and 'close' in a tick of its own then.
   */
  _closeAfter(ended) {
    const { websocket, _handler: handler } = this;
    const isKept = this._hasChunks;

    if (isKept) this._eventQueue.releaseAll();

    if (!isKept && (ended || handler.isCloseExpected(websocket))) {
      this._deliverClose();
    } else {
      timers.nextTick(() => this._deliverClose());
    }
  }

  /** The socket is closed: what waits goes first, paused or not. */
  _deliverClose() {
    this._eventQueue.end(LAST);
  }

  pause() {
    this._eventQueue.pause();
  }

  resume() {
    this._eventQueue.resume();
  }
}

// What few connections change they have in common: an idle one is smaller.

/** Made once something may have to wait. @type {?EventQueue} */
Connection.prototype._ownEventQueue = null;
/** What the peer sent along with its handshake has not been seen yet. */
Connection.prototype.awaitingFirstRead = false;
/** @type {?function(): void} */
Connection.prototype._onFirstReadDone = null;
/** Somebody waits for `bufferedAmount` to fall: see `extra/drain.js`. */
Connection.prototype.isDrainAwaited = false;
/** The engine may send to it by itself: was asked before, and still holds. */
Connection.prototype.isDirect = false;
/** What has a `Receiver` decode the bytes, if they come as a stream. */
Connection.prototype._reader = null;

function onBufferedAmountLow(connection) {
  connection.onBufferedAmountLow();
}

module.exports = Connection;
