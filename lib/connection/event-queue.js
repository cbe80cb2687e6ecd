'use strict';

const { kinds } = require('../native/bridge');
const { isRound, roundNow } = require('../native/turns');
const timers = require('../node/timers');

const { CLOSE, PONG } = kinds;

/**
 * Bytes of waiting events from which on no more should be read: what Node keeps
 * of a paused socket. A peer that goes away meanwhile is still noticed.
 */
const MAX_BYTES = 64 * 1024;

/** What an event counts for besides its payload, which may be empty. */
const EVENT_COST = 32;

/**
 * Whom the events are for.
 *
 * @typedef {Object} Owner
 * @property {(kind: number, value: number, data: Buffer,
 *     fragments?: number[]) => void} emitEvent It must not throw
 * @property {() => void} onQueueFull Enough waits
 * @property {() => void} onQueueRoom No longer, though it may be paused again
 * @property {() => void} onQueueDrained Nothing waits any more
 *
 * @typedef {{kind: number, value: number, data: Buffer, fragments?: number[]}
 *     } Event
 */

/**
 * Delivers the events of a connection in order, each inside the call that
 * brings it, unless it has to wait:
 *
 * - While paused, chunks of events are kept, as a paused socket keeps bytes. One
 *   that has begun is delivered whole.
 * - Unless `isSynchronous`, and while `isOneATime`, each message, ping and pong
 *   has a macrotask of its own, paused or not. Without `isSynchronous` chunks
 *   that come meanwhile are kept, too.
 */
class EventQueue {
  /**
   * @param {Owner} owner
   * @param {boolean} [isSynchronous=true] The option `allowSynchronousEvents`
   */
  constructor(owner, isSynchronous = true) {
    this.isSynchronous = isSynchronous;
    this.isOneATime = false;
    this.isPaused = false;
    this._owner = owner;
    /** Chunks kept while paused, the events of each, oldest first. */
    this._chunks = null;
    /** How many events of the first one have been delivered. */
    this._delivered = 0;
    this._isReleasing = false;
    /** Nothing comes any more, so that nothing waits for `resume()`. */
    this._isEnded = false;
    /** The last event, if it has not been delivered. */
    this._last = null;
    /** Events that wait for a macrotask, oldest first. */
    this._deferred = null;
    /** When the first of them came: see `roundNow()`. */
    this._round = -1;
    this._immediate = null;
    /** Bytes of all that waits. */
    this._bytes = 0;
    this._isFull = false;
  }

  /** Whether a chunk that comes now is for `keep()`. */
  get isKeeping() {
    return this.isPaused || this._chunks !== null || this.isBusy;
  }

  /** A chunk has begun, and its messages have macrotasks to come. */
  get isBusy() {
    return this._deferred !== null && !this.isSynchronous;
  }

  /** Whether what comes now waits for `resume()`, as what came before does. */
  get isHoldingBack() {
    return this.isPaused || this._chunks !== null;
  }

  /** Whether chunks are kept. */
  get hasChunks() {
    return this._chunks !== null;
  }

  /** Whether events wait for a macrotask. */
  get isDeferring() {
    return this._deferred !== null;
  }

  /** Keeps an event for `resume()`, in a chunk of its own or in the last one. */
  keep({ kind, value, data, fragments }, isFirst) {
    const event = { kind, value, data, fragments };

    this._chunks ??= [];
    if (isFirst) this._chunks.push([event]);
    else this._chunks.at(-1).push(event);
    this._count(event);
  }

  /** Emits one event, or has it wait for a macrotask. */
  deliver({ kind, value, data, fragments }) {
    const isApart = this._isApart(kind);

    if (isApart || this._deferred !== null) {
      const event = { kind, value, data, fragments, isApart };

      if (this._deferred === null) {
        this._deferred = [];
        this._round = roundNow();
      }

      this._deferred.push(event);
      this._count(event);
      this.defer();
    } else {
      this._owner.emitEvent(kind, value, data, fragments);
    }
  }

  /**
   * FIN comes after all that came before, but for messages that have macrotasks to
   * come: `ws` is told of it when libuv has read it, in the round after the last
   * bytes, and sends nothing from there on.
   */
  receiveEnd(event) {
    if (this.isPaused || this.isSynchronous || this._deferred === null) {
      if (this._chunks !== null) this.keep(event, false);
      else this.deliver(event);
    } else if (isRound(this._round)) {
      const { kind, value, data } = event;

      this._deferred.splice(1, 0, { kind, value, data, isApart: true });
      this._count(event);
    } else {
      this._owner.emitEvent(event.kind, event.value, event.data);
    }
  }

  _isApart(kind) {
    return (
      (this.isOneATime || !this.isSynchronous) && kind <= PONG && kind !== CLOSE
    );
  }

  pause() {
    this.isPaused = true;
  }

  /** What was kept comes in the next tick. */
  resume() {
    this.isPaused = false;

    if (this._chunks === null) this._checkDrained();
    else timers.nextTick(() => this._isEnded || this._release());
  }

  /** Delivers all that was kept, paused or not: there will be no more. */
  releaseAll() {
    this._isEnded = true;
    this._release();
  }

  /** Delivers all that waits, and then this. */
  end(event) {
    this._last = event;
    this.releaseAll();
  }

  /**
   * Takes all that waits away, in order.
   *
   * @return {Event[]}
   */
  takeAll() {
    const deferred = this._deferred ?? [];
    const kept = (this._chunks ?? []).flat().slice(this._delivered);

    this._deferred = this._chunks = null;
    this._delivered = this._bytes = 0;
    this._isFull = false;

    return [...deferred, ...kept];
  }

  /**
   * Has what was taken from another queue come first, from the next `defer()` on.
   *
   * @param {Event[]} events
   */
  putFirst(events) {
    if (events.length === 0) return;

    this._deferred = events.map((event) => ({
      ...event,
      isApart: this._isApart(event.kind)
    }));
    events.forEach((event) => this._count(event));
  }

  /** Has the first deferred event emitted in a macrotask. */
  defer() {
    if (this._immediate !== null) return;

    // `allowSynchronousEvents` is about the timers of the program.
    const schedule = this.isSynchronous ? timers.setImmediate : setImmediate;

    this._immediate = schedule(() => {
      if (this._deferred !== null) this._emitDeferred();
      // Not before: a listener may run the event loop itself.
      this._immediate = null;

      if (this._deferred !== null) this.defer();
      // As in `connection.js`: what was just emitted has a tick before it.
      else if (this._last !== null) timers.nextTick(() => this._release());
      else this._release();
    });
  }

  /** Emits the first deferred event, and those after it that need not wait. */
  _emitDeferred() {
    do {
      this._emit(this._deferred.shift());

      // A listener may have had others take over.
      if (this._deferred === null) return;
    } while (this._deferred.length > 0 && !this._deferred[0].isApart);

    if (this._deferred.length === 0) this._deferred = null;
  }

  _emit(event) {
    this._uncount(event);
    this._owner.emitEvent(event.kind, event.value, event.data, event.fragments);
  }

  /**
   * Delivers what was kept, until it is paused again, or all of it and the last
   * event. What comes while a listener runs the event loop itself waits for it.
   */
  _release() {
    if (this._isReleasing) return;

    this._isReleasing = true;

    while (
      this._chunks !== null &&
      (this._isEnded || !(this.isPaused || this.isBusy))
    ) {
      this._releaseChunk();
    }

    this._isReleasing = false;

    if (!this._isEnded) {
      this._checkDrained();
    } else if (this._last !== null && this._deferred === null) {
      const { kind, value, data } = this._last;

      this._last = null;
      this._owner.emitEvent(kind, value, data);
    }
  }

  _releaseChunk() {
    const [chunk] = this._chunks;

    while (this._delivered < chunk.length) {
      const event = chunk[this._delivered++];

      this._uncount(event);
      this.deliver(event);

      // A listener may have had others take over.
      if (this._chunks === null) return;
    }

    this._delivered = 0;
    this._chunks.shift();
    if (this._chunks.length === 0) this._chunks = null;
  }

  _count({ data }) {
    this._bytes += EVENT_COST + data.length;

    if (this._bytes > MAX_BYTES && !this._isFull) {
      this._isFull = true;
      this._owner.onQueueFull();
    }
  }

  _uncount({ data }) {
    this._bytes -= EVENT_COST + data.length;
  }

  _checkDrained() {
    if (this._deferred !== null) return;

    if (this._isFull && this._bytes <= MAX_BYTES) {
      this._isFull = false;
      this._owner.onQueueRoom();
    }

    if (!this.isKeeping) this._owner.onQueueDrained();
  }
}

module.exports = EventQueue;
