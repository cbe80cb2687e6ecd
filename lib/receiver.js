'use strict';

const { Writable } = require('stream');

const EventQueue = require('./connection/event-queue');
const { AFTER_INFLATION, bridge, kinds } = require('./native/bridge');
const { Endpoint } = require('./native/endpoint');
const { createViolation } = require('./errors/protocol-errors');
const { fromBinary } = require('./payload');
const onTaskDone = require('./native/task');

/** @typedef {import('./permessage-deflate')} PerMessageDeflate */

const kEventQueue = Symbol('event-queue');

const { BINARY, CLOSE, PING, PONG, TEXT, VIOLATION } = kinds;

/** What the addon can count to. */
const MAX_LIMIT = 2 ** 32 - 1;

/** What a receiver is busy with, by the numbers that `ws` has for it. */
const READING = 0;
const INFLATING = 5;
const DEFERRING = 6;

/**
 * Decodes the bytes of one direction: a `Writable` that emits what they hold,
 * inside `write()` unless it must be inflated first or told otherwise.
 *
 * Events: `message` (data, isBinary), `ping` (data), `pong` (data), `conclude`
 * (code, reason), and `error` for what breaks the protocol or a limit.
 */
class Receiver extends Writable {
  /**
   * @param {Object} [options]
   * @param {boolean} [options.allowSynchronousEvents=true] `false`: one event
   *     a macrotask at most
   * @param {string} [options.binaryType='nodebuffer']
   * @param {Object<string, PerMessageDeflate>} [options.extensions] The
   *     negotiated extensions
   * @param {boolean} [options.isServer=false]
   * @param {number} [options.maxBufferedChunks=0] 0 is no limit, here as below
   * @param {number} [options.maxFragments=0]
   * @param {number} [options.maxPayload=0] In bytes
   * @param {boolean} [options.skipUTF8Validation=false]
   * @param {Endpoint} [endpoint] That of a connection; by default a new one
   */
  constructor(options = {}, endpoint = undefined) {
    super();

    const { allowSynchronousEvents = true } = options;

    this[kEventQueue] = new EventQueue(this, Boolean(allowSynchronousEvents));
    this._binaryType = options.binaryType || 'nodebuffer';
    this._extensions = options.extensions || {};
    this._isServer = Boolean(options.isServer);

    /** The limits of the peer, and whether the endpoint has still to get them. */
    this._limits = {
      maxBufferedChunks: options.maxBufferedChunks | 0,
      maxFragments: options.maxFragments | 0,
      maxPayload: options.maxPayload | 0,
      skipUTF8Validation: Boolean(options.skipUTF8Validation)
    };
    this._areLimitsNew = false;

    this._endpoint = endpoint || createEndpoint(this);
    this._state = READING;
    this._callback = null;
    this._violation = null;

    /** The endpoint waits for a task, or for `finish()` after one. */
    this._isInflating = false;
    this._isInflated = false;

    /** Its events come inside `feed()` and `finish()`. */
    this.isStreamEndpoint = true;
  }

  /** Whether nobody has put anything in the place of its methods. */
  static isOriginal() {
    return (
      prototype._write === originals._write &&
      prototype.addListener === originals.addListener &&
      prototype.emit === originals.emit &&
      prototype.end === originals.end &&
      prototype.on === originals.on &&
      prototype.removeAllListeners === originals.removeAllListeners &&
      prototype.removeListener === originals.removeListener &&
      prototype.write === originals.write
    );
  }

  get _allowSynchronousEvents() {
    return this[kEventQueue].isSynchronous;
  }

  set _allowSynchronousEvents(isSynchronous) {
    this[kEventQueue].isSynchronous = isSynchronous;
  }

  /** The length of the unfinished message, as far as its frames tell. */
  get _totalPayloadLength() {
    return this._endpoint.messageLength;
  }

  /**
   * Begins where a connection was, with the next write.
   *
   * @param {Object[]} events What waited there
   * @param {number} [task] What its endpoint waits for
   */
  takeOver(events, task) {
    this[kEventQueue].putFirst(events);
    this._await(task);
  }

  _write(chunk, encoding, callback) {
    this._callback = callback;
    if (this._areLimitsNew) this._setLimits();
    this._await(this._endpoint.feed(chunk, this));
    this._advance();
  }

  _setLimits() {
    this._areLimitsNew = !this._endpoint.setLimits(limitsOf(this));
  }

  _await(task) {
    if (task === undefined) return;

    this._isInflating = true;
    onTaskDone(task, (err) => {
      this._isInflating = false;
      this._isInflated = true;
      if (err) this._violation = err;
      if (this._callback !== null) this._advance();
    });
  }

  /** Does what is next, unless it has to wait for something. */
  _advance() {
    if (this[kEventQueue].isDeferring) {
      this._state = this._allowSynchronousEvents ? INFLATING : DEFERRING;
      this[kEventQueue].defer();
    } else if (this._isInflating) {
      this._state = INFLATING;
    } else if (this._isInflated) {
      this._isInflated = false;
      if (this._areLimitsNew) this._setLimits();
      this._await(this._endpoint.finish(this));
      this._advance();
    } else {
      this._state = READING;
      this._complete();
    }
  }

  _complete() {
    const { _callback: callback, _violation: violation } = this;

    this._callback = null;

    if (callback !== null) callback(violation);
    else if (violation !== null) this.destroy(violation);
  }

  /** Called with what bytes mean. */
  receive(events) {
    while (events.next()) this.take(events);
  }

  /** Emits one event, or has it wait. */
  take(event) {
    this[kEventQueue].deliver(event);
  }

  /** Who writes waits for `callback` as long as anything does. */
  onQueueFull() {}

  onQueueRoom() {}

  onQueueDrained() {
    this._advance();
  }

  /** What a listener throws is uncaught, and no harm to the stream. */
  emitEvent(kind, value, data, fragments) {
    try {
      switch (kind) {
        case TEXT:
          this.emit('message', data, false);
          break;
        case BINARY:
          this.emit(
            'message',
            fromBinary(this._binaryType, data, fragments),
            true
          );
          break;
        case PING:
          this.emit('ping', data);
          break;
        case PONG:
          this.emit('pong', data);
          break;
        case CLOSE:
          this._conclude(value, data);
          break;
        case VIOLATION:
          this._violation = createViolation(value & 0x7f, value >>> 8);
          // With ws inflating takes a while.
          if (value & AFTER_INFLATION) tellAsOfLater(this);
          break;
      }
    } catch (err) {
      bridge.raise(err);
    }
  }

  _conclude(code, reason) {
    try {
      this.emit('conclude', code, reason);
    } finally {
      this.end();
    }
  }
}

const { prototype } = Receiver;
const originals = {
  _write: prototype._write,
  addListener: prototype.addListener,
  emit: prototype.emit,
  end: prototype.end,
  on: prototype.on,
  removeAllListeners: prototype.removeAllListeners,
  removeListener: prototype.removeListener,
  write: prototype.write
};

// Programs set these on the receiver of a connection, most often a smaller
// `_maxPayload` until they know the peer.
for (const name of [
  'maxBufferedChunks',
  'maxFragments',
  'maxPayload',
  'skipUTF8Validation'
]) {
  Object.defineProperty(Receiver.prototype, `_${name}`, {
    configurable: true,
    get() {
      return this._limits[name];
    },
    set(value) {
      this._limits[name] = value;
      this._areLimitsNew = true;
    }
  });
}

function limitsOf({ _limits: limits }) {
  return {
    maxBufferedChunks: limit(limits.maxBufferedChunks),
    maxFragments: limit(limits.maxFragments),
    maxPayload: limit(limits.maxPayload),
    skipUTF8Validation: Boolean(limits.skipUTF8Validation)
  };
}

/** As `ws` compares with it: what is not above 0 is no limit. */
function limit(value) {
  return value > 0 ? Math.max(Math.min(Math.floor(value), MAX_LIMIT), 1) : 0;
}

/** Has a stream tell of an error as if it were not inside of `write()`. */
function tellAsOfLater(receiver) {
  receiver._writableState.sync = false;
}

function createEndpoint(receiver) {
  const endpoint = Endpoint.create({
    extensions: receiver._extensions,
    isServer: receiver._isServer,
    ...limitsOf(receiver)
  });

  endpoint.deferInflation();

  return endpoint;
}

module.exports = Receiver;
