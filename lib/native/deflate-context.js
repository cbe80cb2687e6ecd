'use strict';

const onTaskDone = require('./task');

/** As of the streams of `zlib`. */
const DEFAULT_CHUNK_SIZE = 16 * 1024;

/**
 * A zlib context, and what waits for it: it does one thing at a time, on
 * another thread.
 */
class DeflateContext {
  /**
   * @param {(import('./addon').Deflater|import('./addon').Inflater)} native
   * @param {Object} [options] Those of a stream of `zlib`, shown as a
   *     stream of Node's shows them
   */
  constructor(native, options) {
    this.native = native;
    this._level = options?.level ?? -1;
    this._chunkSize = options?.chunkSize ?? DEFAULT_CHUNK_SIZE;
    /** What is being done, and what is to be done next. */
    this._queue = [];
  }

  /**
   * @param {function(): number} start Begins a task and returns its id
   * @param {function(?Error, Buffer=): void} callback
   */
  run(start, callback) {
    this._queue.push({ start, callback });
    if (this._queue.length === 1) this._start();
  }

  _start() {
    const queue = this._queue;
    const { start, callback } = queue[0];

    onTaskDone(start(), (err, output) => {
      // Freed meanwhile.
      if (queue !== this._queue) return;

      queue.shift();
      // What fails is freed.
      if (queue.length > 0 && !err) this._start();
      callback(err, output);
    });
  }

  /**
   * Gives the memory back.
   *
   * @return {Function[]} The callbacks that will not be called
   */
  free() {
    const queue = this._queue;

    this._queue = [];
    this.native.free();

    return queue.map(({ callback }) => callback);
  }
}

module.exports = DeflateContext;
