'use strict';

const { ChunkEvents, bridge, targets } = require('./bridge');
const { kContexts } = require('../constants');
const onTaskDone = require('./task');

const FastBuffer = Buffer[Symbol.species];

/** The flags of `configOf()`. */
const IS_SERVER = 1;
const SKIP_UTF8_VALIDATION = 2;

/**
 * Where the short frames of an endpoint are made, one after the other: a Buffer
 * of its own costs more than all the rest of such a frame. Those of another one
 * lie elsewhere.
 */
const ROOM = 2 * 1024;
/** There is room for a frame of this length, in bytes. */
const SHORT = 512;

/** Flags up to this are the first byte of the frame, and nothing else. */
const PLAIN = 0xff;
/** The longest payload whose length is one byte of the header. */
const MAX_PLAIN = 125;

const EMPTY = Buffer.alloc(0);

/** Gives the endpoints that are forgotten back. */
const registry = new FinalizationRegistry((id) => bridge.free(id));

/** An endpoint whose bytes JavaScript carries. */
class Endpoint {
  /** @param {number} id */
  constructor(id) {
    this._id = id;
    this._room = EMPTY;
    this._used = 0;
    /** Where the frames begin that leave together. */
    this._first = 0;
    registry.register(this, id, this);
  }

  /** @param {Object} options Those of `configOf()` */
  static create(options) {
    return new Endpoint(bridge.createEndpoint(...configOf(options)));
  }

  /**
   * Has `target.receive` called with what bytes mean.
   *
   * @param {Uint8Array} chunk It may be unmasked in place
   * @param {Object} target
   * @return {(number|undefined)} The task that must be over before there is
   *     more; then `finish()` has to be called
   */
  feed(chunk, target) {
    targets[this._id] = target;

    // Nobody else's bytes lie beside those of a message, and go where it goes.
    const isAlone = chunk.length === chunk.buffer.byteLength;
    const result = bridge.feed(this._id, chunk, Number(isAlone));

    targets[this._id] = undefined;

    if (result === undefined || result >= 0) return result;

    receive(target, new ChunkEvents(chunk, -result));

    return undefined;
  }

  /** The same for what a task has made, and for the bytes after that. */
  finish(target) {
    targets[this._id] = target;

    const task = bridge.finish(this._id);

    targets[this._id] = undefined;

    return task;
  }

  /** Whatever is compressed is inflated by tasks, as `ws` does it. */
  deferInflation() {
    bridge.deferInflation(this._id);
  }

  /**
   * Has other limits hold for what comes from here on.
   *
   * @param {Object} options As those of `configOf()`
   * @return {boolean} Whether they do; if not, it is in use
   */
  setLimits(options) {
    return (
      bridge.setLimits(
        this._id,
        Number(options.skipUTF8Validation),
        options.maxPayload,
        options.maxFragments,
        options.maxBufferedChunks
      ) === 1
    );
  }

  /** What the frames of the unfinished message claim, in bytes. */
  get messageLength() {
    return bridge.messageLength(this._id);
  }

  /**
   * One frame of bytes to send.
   *
   * @return {Buffer}
   */
  frame(data, flags, key) {
    if (!this.hasRoom) this.makeRoom();

    return this.appendFrame(data, flags, key) ?? this.takeFrames();
  }

  /** Whether there is room for a short frame. */
  get hasRoom() {
    return this._room.length - this._used >= SHORT;
  }

  /** Begins anew, where nothing waits. */
  makeRoom() {
    this._room = Buffer.allocUnsafeSlow(ROOM);
    this._used = this._first = 0;
  }

  /**
   * Makes one frame after those that leave together.
   *
   * @return {?Buffer} A frame that is too long for that
   */
  appendFrame(data, flags, key) {
    const { _room: room, _used: start } = this;

    // What is as short as most messages is made here: a call costs more.
    if (
      flags <= PLAIN &&
      data.length <= MAX_PLAIN &&
      typeof data !== 'string'
    ) {
      room[start] = flags;
      room[start + 1] = data.length;
      // Nothing can be copied from a buffer that was transferred; it is empty.
      if (data.length > 0) room.set(data, start + 2);
      this._used = start + 2 + data.length;
      return null;
    }

    const frame = bridge.frame(this._id, data, flags, key, room, start);

    if (typeof frame !== 'number') return frame;

    this._used += frame;

    return null;
  }

  /** Whether frames wait to leave. */
  get hasFrames() {
    return this._used > this._first;
  }

  /**
   * The frames that leave together.
   *
   * @return {Buffer}
   */
  takeFrames() {
    const { _room: room, _first: start, _used: end } = this;

    this._first = end;

    return new FastBuffer(room.buffer, start, end - start);
  }

  /**
   * As `frame()`, for a long payload to compress, on another thread. Nothing
   * else may be compressed until then.
   *
   * @param {function(Buffer=): void} callback
   */
  frameLater(data, flags, key, callback) {
    onTaskDone(bridge.beginFrame(this._id, data, flags, key), () => {
      callback(bridge.finishFrame(this._id));
    });
  }

  free() {
    registry.unregister(this);
    bridge.free(this._id);
    this._id = -1;
  }
}

/**
 * Has `target` receive all events. One that cannot be told, as its memory was
 * transferred, is an uncaught exception, as if the addon had called.
 */
function receive(target, events) {
  do {
    try {
      target.receive(events);
    } catch (err) {
      bridge.raise(err);
    }
  } while (events.hasNext);
}

/**
 * What an endpoint is made with, as numbers: `src/node/calls/config.rs` reads them.
 *
 * @param {Object} options
 * @param {boolean} options.isServer
 * @param {number} options.maxPayload 0 for no limit, as the next two
 * @param {number} options.maxFragments
 * @param {number} options.maxBufferedChunks
 * @param {boolean} options.skipUTF8Validation
 * @param {Object} options.extensions The negotiated ones
 * @return {import('./addon').Config}
 */
function configOf(options) {
  const { 'permessage-deflate': deflate } = options.extensions;

  return [
    (options.isServer ? IS_SERVER : 0) |
      (options.skipUTF8Validation ? SKIP_UTF8_VALIDATION : 0),
    deflate === undefined ? 0 : packContexts(deflate[kContexts]),
    options.maxPayload,
    options.maxFragments,
    options.maxBufferedChunks
  ];
}

function packContexts({ deflate, inflate }) {
  return (
    deflate.windowBits |
    ((deflate.level + 1) << 4) |
    (deflate.memLevel << 8) |
    (deflate.strategy << 12) |
    (Number(deflate.reset) << 15) |
    (inflate.windowBits << 16) |
    (Number(inflate.reset) << 20)
  );
}

module.exports = { Endpoint, configOf };
