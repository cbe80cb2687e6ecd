'use strict';

const { bridge } = require('./bridge');

/**
 * Calls what is a program's, where more depends on what comes after it: what it
 * throws is an uncaught exception, and the caller goes on.
 *
 * @param {Function} fn
 * @param {...*} args
 */
function callGuarded(fn, ...args) {
  try {
    fn(...args);
  } catch (err) {
    bridge.raise(err);
  }
}

module.exports = callGuarded;
