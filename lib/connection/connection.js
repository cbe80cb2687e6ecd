'use strict';

const { kExtra } = require('../constants');
const { bridge, kinds } = require('../native/bridge');
const { createViolation } = require('../errors/protocol-errors');
const { EMPTY } = require('../payload');
const timers = require('../node/timers');

const { TEXT, BINARY, CLOSE, PING, PONG, VIOLATION, END, CLOSED } = kinds;

/**
 * Bytes of messages held back before reading stops: what Node keeps of a
 * paused socket. A peer that goes away meanwhile is still noticed.
 */
const MAX_HELD = 64 * 1024;

/** What an event counts for besides its payload, which may be empty. */
const EVENT_COST = 32;

/** The last event of a connection. */
const OVER = Object.freeze({
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
 * @property {(websocket: WebSocket, err: Error) => void} violation The peer
 *     broke the protocol or a limit; nothing more will be decoded
 * @property {(websocket: WebSocket) => void} end The peer ended its side
 * @property {(websocket: WebSocket) => void} disconnect Nothing can be sent any
 *     more; what was received may still be told
 * @property {(websocket: WebSocket) => void} close The connection is gone
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
 * What a WebSocket talks to: frames out, events in. `NativeConnection` is a socket of
 * the engine, `StreamConnection` any Duplex.
 *
 * Events are delivered in order through the handler record.
 * While paused, chunks are held back, as a paused socket holds bytes; one that
 * has begun is delivered whole. With `allowSynchronousEvents` off each message
 * has a macrotask of its own, paused or not.
 */
class Connection {
  constructor() {
    this.websocket = null;
    this._handler = null;
    this._paused = false;
    this._synchronous = true;
    /** Chunks held back, the events of each, oldest first; null for none. */
    this._held = null;
    /** How many events of the first one have been released. */
    this._released = 0;
    this._isReleasing = false;
    /** The socket is closed. */
    this._isOver = false;
    /** Events that wait for a macrotask, oldest first; null for none. */
    this._deferred = null;
    this._immediate = null;
    /** Bytes of both. */
    this._waitingBytes = 0;
    /** Reading stopped because that is enough. */
    this._stopped = false;
    /** What the peer sent along with its handshake has not been seen yet. */
    this.awaitingFirstRead = false;
    this._onFirstReadDone = null;
    /** Somebody waits for less to wait. */
    this.notifiesShrunk = false;
    /** What has a `Receiver` decode the bytes, if they come as a stream. */
    this._reader = null;
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

  /** No message is wanted any more: a close frame came, or an error. */
  ignoreInput() {
    this._reader?.ignore();
  }

  /** The receiver takes more. */
  onReceiverDrain() {
    if (!this._paused) this._reader?.resumeSocket();
  }

  /** Has no more bytes brought in; what was on its way still comes. */
  _stopReading() {}

  /** Has bytes brought in again. */
  _startReading() {}

  /** Less waits in JavaScript than before; it may wait elsewhere soon. */
  onShrunk() {
    if (this.notifiesShrunk) process.nextTick(onLow, this);
  }

  /** Less waits than before: somebody may have waited for that. */
  onLow() {
    this.websocket[kExtra].onLow(this.websocket);
  }

  /** Frames are exchanged. */
  get isStarted() {
    return this._handler !== null;
  }

  get isPaused() {
    return this._paused;
  }

  /** Calls back with a frame that takes long to make, for the stream. */
  frameLater(data, bits, key, callback) {
    this._reader.endpoint.frameLater(data, bits, key, callback);
  }

  /** Received binary messages are of this type from here on. */
  setBinaryType(type) {
    if (this._reader !== null) this._reader.receiver._binaryType = type;
  }

  /** Calls back once, when it is not young any more or is closed. */
  onceFirstReadDone(callback) {
    this._onFirstReadDone = callback;
  }

  _endFirstRead() {
    const onFirstReadDone = this._onFirstReadDone;

    this.awaitingFirstRead = false;
    this._onFirstReadDone = null;
    if (onFirstReadDone !== null) onFirstReadDone();
  }

  /** Remembers to whom events go. Subclasses begin to deliver. */
  start(websocket, handler, options) {
    this.websocket = websocket;
    this._handler = handler;
    this._synchronous = options.allowSynchronousEvents;
  }

  /** A chunk that comes now waits: it is paused, or others wait already. */
  get _holdsBack() {
    return this._paused || this._held !== null;
  }

  /** Keeps an event for `resume()`, in a chunk of its own or in the last one. */
  _hold({ kind, value, data, fragments }, isFirst) {
    const event = { kind, value, data, fragments };

    this._held ??= [];
    if (isFirst) this._held.push([event]);
    else this._held.at(-1).push(event);
    this._count(event);
  }

  /** Emits one event, or defers it. What listeners throw is uncaught. */
  _deliver({ kind, value, data, fragments }) {
    const isApart =
      (!this._synchronous || this.awaitingFirstRead) && isDeferrable(kind);

    if (isApart || this._deferred !== null) {
      const event = { kind, value, data, fragments, isApart };

      this._deferred ??= [];
      this._deferred.push(event);
      this._count(event);
      this._defer();
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

  /** Counts what waits; of enough no more is read. */
  _count({ data }) {
    this._waitingBytes += EVENT_COST + data.length;

    if (this._waitingBytes > MAX_HELD && !this._stopped) {
      this._stopped = true;
      this._stopReading();
    }
  }

  _uncount({ data }) {
    this._waitingBytes -= EVENT_COST + data.length;
  }

  _defer() {
    if (this._immediate !== null) return;

    // `allowSynchronousEvents` is about the timers of the program.
    const defer = this._synchronous ? timers.setImmediate : setImmediate;

    this._immediate = defer(() => {
      if (this._deferred !== null) this._emitDeferred();
      // Not before: a listener may run the event loop itself.
      this._immediate = null;
      if (this._deferred !== null) this._defer();
    });
  }

  /** Emits the first deferred event, and those behind that need not wait. */
  _emitDeferred() {
    do {
      const event = this._deferred.shift();

      this._uncount(event);
      this._emit(event.kind, event.value, event.data, event.fragments);

      // A listener may have had others take over.
      if (this._deferred === null) return;
    } while (this._deferred.length > 0 && !this._deferred[0].isApart);

    if (this._deferred.length > 0) return;

    this._deferred = null;
    this._readOn();
  }

  /**
   * Delivers what is held back, until it is paused again, or all of it and the
   * close. What comes while a listener runs the event loop itself waits for it.
   */
  _release() {
    if (this._isReleasing) return;

    this._isReleasing = true;

    while (this._held !== null && (this._isOver || !this._paused)) {
      this._releaseChunk();
    }

    this._isReleasing = false;

    if (this._isOver) this._deliver(OVER);
    else this._readOn();
  }

  _releaseChunk() {
    const [chunk] = this._held;

    while (this._released < chunk.length) {
      const event = chunk[this._released++];

      this._uncount(event);
      this._deliver(event);

      // A listener may have had others take over.
      if (this._held === null) return;
    }

    this._released = 0;
    this._held.shift();
    if (this._held.length === 0) this._held = null;
  }

  /** Takes all that waits away, in order. */
  _takeWaiting() {
    const deferred = this._deferred ?? [];
    const held = (this._held ?? []).flat().slice(this._released);

    this._deferred = this._held = null;
    this._released = this._waitingBytes = 0;

    return [...deferred, ...held];
  }

  /**
   * The socket is closed. After an orderly end our 'close' is the first to be
   * heard of it; after an abrupt one who watches the socket hears it first.
   */
  _closeBehind(ended) {
    const { websocket, _handler: handler } = this;

    if (ended || handler.isCloseExpected(websocket)) this._deliverClose();
    else timers.nextTick(() => this._deliverClose());
  }

  /** The socket is closed: what waits goes first, paused or not. */
  _deliverClose() {
    this._isOver = true;
    this._release();
  }

  pause() {
    this._paused = true;
  }

  resume() {
    this._paused = false;

    if (this._held === null) this._readOn();
    else timers.nextTick(() => !this._isOver && this._release());
  }

  _readOn() {
    if (this._stopped && this._deferred === null && !this._holdsBack) {
      this._stopped = false;
      this._startReading();
    }
  }
}

function onLow(connection) {
  connection.onLow();
}

/** Whether `allowSynchronousEvents` is about this kind. */
function isDeferrable(kind) {
  return kind <= PONG && kind !== CLOSE;
}

module.exports = Connection;
