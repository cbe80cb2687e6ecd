'use strict';

/**
 * Calls back once a stream has written all it has, however little that is. A
 * stream tells nobody of itself below its high-water mark.
 *
 * @param {any} stream
 * @param {function(): void} callback
 */
function onceDrained(stream, callback) {
  const state = stream._writableState;

  if (state === undefined) {
    stream.write(Buffer.alloc(0), callback);
  } else {
    state.needDrain = true;
    stream.once('drain', callback);
  }
}

module.exports = onceDrained;
