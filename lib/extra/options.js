'use strict';

/** The longest time that a timer of Node's takes. */
const MAX_DURATION = 0x7fffffff;

/**
 * Checks an option.
 *
 * @param {string} name
 * @param {any} value
 * @param {number} min
 * @param {number} max
 * @throws {TypeError} If it is no number
 * @throws {RangeError} If it is not within the limits
 */
function checkNumber(name, value, min, max) {
  if (typeof value !== 'number') {
    throw new TypeError(`The option "${name}" must be a number`);
  }

  if (!(value >= min && value <= max)) {
    throw new RangeError(
      `The option "${name}" must be >= ${min} and <= ${max}. Received ${value}`
    );
  }
}

/** The same for milliseconds. */
function checkDuration(name, value, min = 0) {
  checkNumber(name, value, min, MAX_DURATION);
}

/** The same for a number of bytes. */
function checkBytes(name, value) {
  checkNumber(name, value, 0, Infinity);
}

/** What is done with those who are slow. */
const SLOW = {
  skip() {},
  terminate(websocket) {
    websocket.terminate();
  }
};

/**
 * Checks the option "onSlow".
 *
 * @param {any} value
 * @return {function(any): void} What is to be done with them
 * @throws {TypeError} If it says nothing of the kind
 */
function checkSlow(value) {
  if (typeof value === 'function') return value;
  if (Object.hasOwn(SLOW, value)) return SLOW[value];

  throw new TypeError(
    'The option "onSlow" must be "skip", "terminate" or a function'
  );
}

module.exports = { checkBytes, checkDuration, checkSlow };
