'use strict';

const { createAbort } = require('../errors/protocol-errors');
const { bindCallback } = require('../native/async-context');
const callGuarded = require('../native/call-guarded');
const { COMPRESS } = require('../native/frame-flags');
const { byteLength } = require('../payload');

/**
 * What everything is written to.
 *
 * @typedef {Object} Output
 * @property {boolean} isDestroyed Nothing can be written any more
 * @property {boolean} isEnding The same, or our side has ended
 * @property {function(): void} onDequeued Told that something has left the queue
 * @property {function(): void} makeIndirect Has the engine send nothing by
 *     itself: it may not overtake what the queue is about to have
 * @property {boolean} isCompressing What `transmit()` was given is being
 *     compressed
 * @property {function(function(): void): void} onceCompressed Calls back once,
 *     when it is
 * @property {boolean} awaitingFirstRead Nothing may be compressed yet
 * @property {function(function(): void): void} onceFirstReadDone Calls back
 *     once, when something may
 * @property {function((string|Uint8Array)): boolean} compressesLater Whether a
 *     message to compress is for `compress()`, not `transmit()`
 * @property {function((string|Uint8Array), number, function(Transmit): void):
 *     void} compress Compresses a message on another thread
 * @property {function((string|Uint8Array), number, function(Error=): void):
 *     void} transmit Frames, and writes in the order of the calls
 *
 * @typedef {function(function(Error=): void): void} Transmit Sends what was
 *     compressed
 *
 * @typedef {import('../sender')} Sender
 */

/** The flag of a payload that is still a Blob. No output ever sees it. */
const BLOB = 0x10000;

/**
 * What the queue is busy with, by the numbers that `ws` has for it; all that is
 * added meanwhile waits in line.
 */
const IDLE = 0;
const COMPRESSING = 1;
const READING_BLOB = 2;

/**
 * Keeps the order of what is sent: what comes after a Blob, or after a message
 * that is compressed on another thread, waits until that is written.
 */
class SendQueue {
  /**
   * @param {Output} output
   * @param {Sender} sender Its `onerror` is called when a Blob cannot be read
   */
  constructor(output, sender) {
    /** How many messages were added. */
    this.messages = 0;
    this._output = output;
    this._sender = sender;
  }

  /**
   * Sends a payload, after all that was added before.
   *
   * @param {(string|Uint8Array|Blob)} data
   * @param {number} flags How, see `frame-flags.js`; with `BLOB` if it is one
   * @param {function(Error=): void} [cb]
   */
  add(data, flags, cb) {
    if (this.state === IDLE) this._start(data, flags, cb);
    else this._enqueue(data, flags, cb, false);
  }

  /** Nothing waits. */
  get isIdle() {
    return this.state === IDLE && !this._waiting?.length;
  }

  _start(data, flags, cb) {
    if (flags & BLOB) this._startBlob(data, flags, cb);
    else if (flags & COMPRESS) this._startMessage(data, flags, cb);
    else this._output.transmit(data, flags, cb);
  }

  /** A Blob is read when all before it is compressed. */
  _startBlob(blob, flags, cb) {
    const output = this._output;

    if (output.isCompressing) {
      this._defer(blob, flags, cb);
      output.onceCompressed(() => this._unblock());
    } else {
      this._readBlob(blob, flags, cb);
    }
  }

  /** A message to compress. */
  _startMessage(data, flags, cb) {
    const output = this._output;

    if (output.awaitingFirstRead) {
      this._defer(data, flags, bindCallback(cb));
      output.onceFirstReadDone(() => this._unblock());
    } else if (output.compressesLater(data)) {
      this._compress(data, flags, cb);
    } else {
      output.transmit(data, flags, cb);
    }
  }

  _enqueue(data, flags, cb, isFirst) {
    const length = byteLength(data);
    const entry = { data, flags, length, cb };

    this.bufferedBytes += length;
    this._waiting ??= [];
    if (isFirst) this._waiting.unshift(entry);
    else this._waiting.push(entry);
  }

  _unbuffer(length) {
    this.bufferedBytes -= length;
    this._output.onDequeued();
  }

  /** What was kept waiting is sent, until something else takes its time. */
  _continue() {
    this.state = IDLE;

    while (this.state === IDLE && this._waiting?.length) {
      const { data, flags, length, cb } = this._waiting.shift();

      this._unbuffer(length);
      this._start(data, flags, cb);
    }
  }

  /** The output cannot take this yet, nor what comes after it. */
  _defer(data, flags, cb) {
    this._block(COMPRESSING);
    this._enqueue(data, flags, cb, true);
  }

  _block(state) {
    this._output.makeIndirect();
    this.state = state;
  }

  _unblock() {
    if (this._output.isEnding) {
      this._fail(createAbort('data was being compressed'));
    } else {
      this._continue();
    }
  }

  _readBlob(blob, flags, cb) {
    const { size } = blob;

    this.bufferedBytes += size;
    this._block(READING_BLOB);

    // Callbacks and listeners run outside the promise, so that what they throw
    // is an uncaught exception and not a rejection.
    blob
      .arrayBuffer()
      .then((contents) => {
        if (this._output.isDestroyed) {
          const err = createAbort('the blob was being read');

          process.nextTick(() => this._fail(err, cb));
          return;
        }

        this._unbuffer(size);
        this.state = IDLE;
        this._start(Buffer.from(contents), flags & ~BLOB, cb);
        if (this.state === IDLE) this._continue();
      })
      .catch((err) => {
        process.nextTick(() => {
          this._fail(err, cb);
          this._sender.onerror(err);
        });
      });
  }

  /** A message that the output compresses on another thread. */
  _compress(data, flags, cb) {
    const length = byteLength(data);

    this.bufferedBytes += length;
    this._block(COMPRESSING);

    this._output.compress(data, flags, (transmit) => {
      if (transmit === undefined || this._output.isDestroyed) {
        this._fail(createAbort('data was being compressed'), cb);
        return;
      }

      this._unbuffer(length);
      this.state = IDLE;
      transmit(cb);
      if (this.state === IDLE) this._continue();
    });
  }

  /**
   * Tells the sender of a message, and all who wait after it, of a failure. What
   * one of them throws keeps neither the others from it, nor the connection from
   * closing.
   *
   * @param {Error} err
   * @param {Function} [cb] The sender's
   */
  _fail(err, cb) {
    if (typeof cb === 'function') callGuarded(cb, err);

    for (const waiting of this._waiting ?? []) {
      if (typeof waiting.cb === 'function') callGuarded(waiting.cb, err);
    }
  }
}

// In common, as in `connection.js`.

/** Bytes of what waits here. */
SendQueue.prototype.bufferedBytes = 0;
SendQueue.prototype.state = IDLE;
/** @type {?Object[]} */
SendQueue.prototype._waiting = null;

module.exports = { BLOB, SendQueue };
