'use strict';

const { bridge, kinds } = require('./bridge');
const { createViolation } = require('./errors');
const timers = require('./timers');

const { TEXT, BINARY, CLOSE, PING, PONG, VIOLATION, END, CLOSED } = kinds;

/**
 * Bytes of messages held back before reading stops: what Node keeps of a
 * paused socket. A peer that goes away meanwhile is still noticed.
 */
const MAX_HELD = 64 * 1024;

/** What an event counts for besides its payload, which may be empty. */
const EVENT_COST = 32;

const NOTHING = Buffer.alloc(0);

/**
 * What a WebSocket talks to: frames out, events in. `NativeLink` is a socket of
 * the engine, `PumpedLink` any Duplex.
 *
 * Events are delivered in order through the handler record of `websocket.js`.
 * While paused, whole chunks are held back; with `allowSynchronousEvents` off
 * each message has a macrotask of its own.
 */
class Link {
  constructor() {
    this.websocket = null;
    this._handler = null;
    this._paused = false;
    this._synchronous = true;
    /** Events held back, oldest first; null if there are none. */
    this._held = null;
    this._heldBytes = 0;
    this._immediate = null;
    this._isReleasing = false;
    /** Reading stopped because enough is held back. */
    this._stopped = false;
    /** What the peer sent along with its handshake has not been seen yet. */
    this.isYoung = false;
    this._onGrown = null;
    /** What has a `Receiver` decode the bytes, if they come as a stream. */
    this._intake = null;
  }

  /** Has no more bytes brought in; what was on its way still comes. */
  _stopReading() {}

  /** Has bytes brought in again. */
  _startReading() {}

  /** Frames are exchanged. */
  get isStarted() {
    return this._handler !== null;
  }

  get isPaused() {
    return this._paused;
  }

  /** Calls back with a frame that takes long to make, for the stream. */
  frameLater(data, bits, key, callback) {
    this._intake.endpoint.frameLater(data, bits, key, callback);
  }

  /** Received binary messages are of this type from here on. */
  setBinaryType(type) {
    if (this._intake !== null) this._intake.receiver._binaryType = type;
  }

  /** Calls back once, when it is not young any more or is closed. */
  onceGrown(callback) {
    this._onGrown = callback;
  }

  _grow() {
    const onGrown = this._onGrown;

    this.isYoung = false;
    this._onGrown = null;
    if (onGrown !== null) onGrown();
  }

  /** Remembers to whom events go. Subclasses begin to deliver. */
  start(websocket, handler, options) {
    this.websocket = websocket;
    this._handler = handler;
    this._synchronous = options.allowSynchronousEvents;
  }

  /** Emits one event, or holds it back. What listeners throw is uncaught. */
  _deliver(event, kind) {
    const { value, data, fragments } = event;
    const isApart = (!this._synchronous || this.isYoung) && isDeferrable(kind);

    if (isApart || this._paused || this._held !== null) {
      this._hold({ kind, value, data, fragments, isApart });
    } else {
      this._emit(kind, value, data, fragments);
    }
  }

  _emit(kind, value, data, fragments) {
    const { websocket, _handler: handler } = this;

    try {
      switch (kind) {
        case TEXT:
          handler.message(websocket, data, false, undefined);
          break;
        case BINARY:
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
            createViolation(value & 0xff, value >>> 8)
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

  _hold(event) {
    if (this._held === null) this._held = [];

    this._held.push(event);
    this._heldBytes += EVENT_COST + event.data.length;

    if (this._heldBytes > MAX_HELD && !this._stopped) {
      this._stopped = true;
      this._stopReading();
    }

    if (!this._paused) this._scheduleRelease();
  }

  _scheduleRelease() {
    if (this._immediate !== null) return;

    // `allowSynchronousEvents` is about the timers of the program.
    const defer = this._synchronous ? timers.setImmediate : setImmediate;

    this._immediate = defer(() => {
      this._immediate = null;
      this._release();
    });
  }

  /**
   * Emits what was held back: all of it, or one message of it. What comes while
   * a listener runs the event loop itself waits for it.
   */
  _release() {
    if (this._isReleasing) return;

    this._isReleasing = true;

    while (this._held !== null && !this._paused) {
      const event = this._held.shift();

      this._heldBytes -= EVENT_COST + event.data.length;
      this._emit(event.kind, event.value, event.data, event.fragments);

      // A listener may have had others take over.
      if (this._held === null) break;

      if (this._held.length === 0) {
        this._held = null;
        this._readOn();
      } else if (this._held[0].isApart) {
        this._scheduleRelease();
        break;
      }
    }

    this._isReleasing = false;
  }

  /**
   * The socket is closed. After an orderly end our 'close' is the first to be
   * heard of it; after an abrupt one who watches the socket hears it first.
   */
  _closeBehind(ended) {
    const { _closeFrameReceived: concluded, _errorEmitted: failed } =
      this.websocket;

    if (ended || concluded || failed) this._deliverClose();
    else timers.nextTick(() => this._deliverClose());
  }

  /** The socket is closed: what is held back goes first, paused or not. */
  _deliverClose() {
    if (this._held === null) {
      this._emit(CLOSED, 0);
      return;
    }

    this._paused = false;
    this._held.push({ kind: CLOSED, value: 0, data: NOTHING });

    if (this._synchronous) this._release();
    else this._scheduleRelease();
  }

  pause() {
    this._paused = true;
  }

  resume() {
    this._paused = false;

    if (this._held !== null) this._scheduleRelease();
    else this._readOn();
  }

  _readOn() {
    if (this._stopped && this._held === null && !this._paused) {
      this._stopped = false;
      this._startReading();
    }
  }
}

/** Whether `allowSynchronousEvents` is about this kind. */
function isDeferrable(kind) {
  return kind <= PONG && kind !== CLOSE;
}

module.exports = Link;
