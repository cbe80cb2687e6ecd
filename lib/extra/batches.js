'use strict';

const attempt = require('./attempt');

/** So many WebSockets are dealt with before the event loop goes on. */
const BATCH = 64;

/**
 * Does something with each of many WebSockets, a few at a time, so that the
 * event loop does not stand still.
 *
 * @param {Iterable<any>} websockets
 * @param {function(any): void} work What it throws is an uncaught exception, and
 *     the others follow all the same
 * @param {function(): void} done
 * @return {function(): void} Stops it
 */
function forEachInBatches(websockets, work, done) {
  const iterator = websockets[Symbol.iterator]();
  let isStopped = false;

  const next = () => {
    for (let count = 0; count < BATCH && !isStopped; count++) {
      const { value, done: isLast } = iterator.next();

      if (isLast) {
        done();
        return;
      }

      attempt(work, value);
    }

    if (!isStopped) setImmediate(next);
  };

  next();

  return () => {
    isStopped = true;
  };
}

module.exports = forEachInBatches;
