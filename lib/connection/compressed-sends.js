'use strict';

const { createAbort } = require('../errors/protocol-errors');
const { bindCallback } = require('../native/async-context');
const { COMPRESS } = require('../native/frame-flags');
const { byteLength } = require('../payload');
const { kInternal } = require('../constants');

/**
 * Counts, for `bufferedAmount`, the messages that the engine compresses of a
 * connection; it compresses none itself. Each counts as
 * buffered with its own length, and so does what is sent after it, until it is
 * written.
 */
class CompressedSends {
  /** @param {{isDestroyedHere: boolean, onDequeued: function(): void}} connection */
  constructor(connection) {
    /** Bytes of these messages and of what is sent after them. */
    this.bufferedBytes = 0;
    this._connection = connection;
    this._count = 0;
    this._bytesAfter = 0;
    this._onDone = null;
  }

  /** Whether one of them is not written. */
  get isBusy() {
    return this._count > 0;
  }

  /** Calls back once, when all of them are written. */
  onceDone(callback) {
    this._onDone = callback;
  }

  /**
   * Counts what is about to be sent.
   *
   * @param {(string|Uint8Array)} data
   * @param {number} flags
   * @param {function(Error=): void} [cb]
   * @return {(function(Error=): void|undefined)} To be called in its place
   */
  add(data, flags, cb) {
    if (flags & COMPRESS) return this._addCompressed(byteLength(data), cb);

    if (this._count > 0) {
      const length = byteLength(data);

      this.bufferedBytes += length;
      this._bytesAfter += length;
      cb &&= abortable(cb);
    }

    return cb;
  }

  _addCompressed(length, cb) {
    const callback = bindCallback(cb);
    const onSent = (err) => {
      if (--this._count === 0) {
        this.bufferedBytes -= this._bytesAfter;
        this._bytesAfter = 0;
      }

      // With ws that ends what is being compressed, though it may have left here.
      if (err || this._connection.isDestroyedHere) {
        err = createAbort('data was being compressed');
      } else {
        this.bufferedBytes -= length;
      }

      this._connection.onDequeued();
      callback?.(err);

      if (this._onDone !== null && this._count === 0) this._callDone();
    };

    onSent[kInternal] = true;
    this.bufferedBytes += length;
    this._count++;

    return onSent;
  }

  _callDone() {
    const onDone = this._onDone;

    this._onDone = null;
    onDone();
  }
}

/** A callback of a frame that waits for one being compressed, and may be lost with it. */
function abortable(cb) {
  return (err) => cb(err && createAbort('data was being compressed'));
}

module.exports = CompressedSends;
