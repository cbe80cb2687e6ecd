'use strict';

const { prepareRoot } = require('./async-context');
const native = require('./addon');
const timers = require('../node/timers');

/** Kinds of events, as in `src/engine/events/mod.rs`. */
const kinds = Object.freeze({
  TEXT: 1,
  BINARY: 2,
  PUBLISHED: 3,
  CLOSE: 8,
  PING: 9,
  PONG: 10,
  VIOLATION: 16,
  END: 17,
  CLOSED: 18,
  DRAINED: 19,
  CONNECTED: 20,
  HEAD: 21,
  NOT_AN_UPGRADE: 22,
  CHUNK: 23,
  LISTENER_CLOSED: 24,
  ACCEPT_FAILED: 25,
  HEAD_STARTED: 26,
  ACCEPTED: 27,
  FAILED: 29,
  WRITTEN: 30,
  BUFFERED_AMOUNT_LOW: 31,
  LOST: 32,
  READ_STOPPED: 33
});

/** Of the value of a VIOLATION: something was inflated of what was read with it. */
const AFTER_INFLATION = 1 << 7;

/** Words of `meta` before the first record, and of a record. */
const HEADER = 1;
const WORDS = 4;

/** Flags of the word before the first record. */
const EARLIER_READ = 1;
const CONTINUED = 2;

/** The flag of a record whose value is an index into the fragment lengths. */
const FRAGMENTED = 1 << 16;

const FastBuffer = Buffer[Symbol.species];

/**
 * By id: the connections, listeners, endpoints and members of hubs of this bridge.
 * Those of endpoints have `isStreamEndpoint`: JavaScript carries their bytes, and their
 * events come inside `bridge.feed`.
 */
const targets = [];

/**
 * The events of one chunk. A target walks over them with `next()`; the fields
 * are those of the current one.
 */
class Events {
  constructor(meta, count, tiny, small, medium, large, fragments) {
    this._meta = meta;
    this._position = HEADER - WORDS;
    this._end = HEADER + count * WORDS;
    this._tiny = tiny;
    this._small = small;
    this._medium = medium;
    this._large = large;
    this._fragments = fragments;
  }

  /** Moves to the next event; false after the last. */
  next() {
    this._position += WORDS;

    return this._position < this._end;
  }

  /** They had been read, not inflated, when the socket was closed. */
  get areFromEarlierRead() {
    return (this._meta[0] & EARLIER_READ) !== 0;
  }

  /** They are of the same chunk as those before. */
  get areContinued() {
    return (this._meta[0] & CONTINUED) !== 0;
  }

  get kind() {
    return this._meta[this._position] & 0xff;
  }

  get value() {
    return this._meta[this._position + 3];
  }

  /** The payload, a Buffer that the program may keep. */
  get data() {
    const place = (this._meta[this._position] >> 8) & 0xff;
    const offset = this._meta[this._position + 1];
    const length = this._meta[this._position + 2];

    if (length === 0) return new FastBuffer();

    switch (place) {
      case 0:
        return new FastBuffer(this._tiny, offset, length);
      case 1:
        return new FastBuffer(this._small, offset, length);
      case 2:
        return new FastBuffer(this._medium, offset, length);
      default:
        return this._large[offset];
    }
  }

  /** The lengths of a binary message's parts, undefined if it has one. */
  get fragments() {
    if ((this._meta[this._position] & FRAGMENTED) === 0) return undefined;

    const start = this.value + 1;
    const count = this._fragments[this.value];

    return Array.from(this._fragments.subarray(start, start + count));
  }
}

/**
 * As `Events`, for those that the addon has left in the chunk which JavaScript gave
 * it. Payloads share its memory, as with `ws`.
 */
class ChunkEvents {
  constructor(chunk, count) {
    const { inChunk } = bridge;

    this.kind = 0;
    this.value = 0;
    this.data = undefined;
    this.fragments = undefined;
    this._chunk = chunk;
    this._position = 0;
    this._end = count * WORDS;
    // Those of another chunk may come before the next one is looked at.
    this._records = count === 1 ? inChunk : inChunk.slice(0, this._end);
  }

  /** Whether the current event is not the last one. */
  get hasNext() {
    return this._position < this._end;
  }

  next() {
    const { _chunk: chunk, _position: position, _records: records } = this;

    if (!this.hasNext) return false;

    const length = records[position + 2];

    this._position += WORDS;
    this.kind = records[position];
    this.value = records[position + 3];
    this.data =
      length === 0
        ? new FastBuffer()
        : new FastBuffer(
            chunk.buffer,
            chunk.byteOffset + records[position + 1],
            length
          );

    return true;
  }
}

/**
 * Called by the addon with the events of one connection's chunk: listeners run
 * back to back, and their nextTicks and microtasks when this returns.
 */
function dispatch(id, count, tiny, small, medium, large, fragments) {
  const target = targets[id];
  const events = new Events(
    bridge.meta,
    count,
    tiny,
    small,
    medium,
    large,
    fragments
  );

  if (target !== undefined && target.isStreamEndpoint) {
    target.receive(events);
    return;
  }

  prepareRoot();

  if (target === undefined) onAccepted(id, events);
  else if (target.isInContext) target.receive(events);
  else target.enter(events);
}

/** The first event of an accepted connection names its listener. */
function onAccepted(id, events) {
  events.next();
  targets[events.value].onAccepted(id, events);
}

// Bun has the names of libuv's functions, and aborts when they are called.
const hasUv =
  process.versions.bun === undefined &&
  process.versions.deno === undefined &&
  process.env.OXWS_UV !== '0';

const attached = native.attach(dispatch, hasUv);

// An object that an addon has given so many functions is a dictionary, in which
// each call would look its function up; a copy is not. As long as the object is
// held, the addon serves us.
const bridge = { ...attached, attached };

let flushScheduled = false;

/**
 * Has what was sent outside a dispatch, and has not left at once, written at the
 * end of the tick.
 */
function scheduleFlush() {
  // Inside a dispatch the addon does it.
  if (flushScheduled || bridge.state[0] === 1) return;

  flushScheduled = true;
  timers.nextTick(flush);
}

function flush() {
  flushScheduled = false;
  bridge.flush();
}

// What was sent before process.exit() was sent, by any copy of the library.
if (bridge.id === 0) process.on('exit', () => bridge.leave());

module.exports = {
  AFTER_INFLATION,
  ChunkEvents,
  bridge,
  hasUv,
  kinds,
  scheduleFlush,
  targets
};
