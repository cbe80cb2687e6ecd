'use strict';

const timers = require('timers');
const { runInThisContext } = require('vm');

/**
 * Those of Node.js. Jest runs each test file in a context of its own, in which
 * `process` may be a fake before this is loaded.
 */
const { hrtime, nextTick } = runInThisContext('process');
const queueMicrotask = runInThisContext('queueMicrotask');

/** Milliseconds of a clock that only runs on. */
function now() {
  const [seconds, nanoseconds] = hrtime();

  return seconds * 1e3 + nanoseconds / 1e6;
}

/**
 * The timers as they were when this was loaded, for what Node.js itself does
 * where there is `ws`: a test that puts others in their place makes time stand
 * still for its own code, and not for the sockets.
 *
 * What `ws` takes from the globals when it needs it, we take from there too, as
 * the timer of a closing handshake, which such a test wants to see expire.
 */
module.exports = Object.freeze({
  clearInterval: timers.clearInterval,
  clearTimeout: timers.clearTimeout,
  nextTick,
  now,
  queueMicrotask,
  setImmediate: timers.setImmediate,
  setInterval: timers.setInterval,
  setTimeout: timers.setTimeout
});
