'use strict';

/**
 * Calls what is a program's for one of many. What it throws is an uncaught
 * exception once the others had theirs, too.
 *
 * @param {Function} work
 * @param {...*} args
 * @return {boolean} Whether it did not throw
 */
function attempt(work, ...args) {
  try {
    work(...args);
    return true;
  } catch (err) {
    process.nextTick(rethrow, err);
    return false;
  }
}

function rethrow(err) {
  throw err;
}

module.exports = attempt;
