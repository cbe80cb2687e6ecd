'use strict';

/** Bytes that may wait for a broker, or a receiver, unless an option says. */
const MAX_PENDING = 16 * 1024 * 1024;

/**
 * @param {string} name
 * @param {any} value
 * @return {string}
 * @throws {TypeError} If it is no text
 */
function checkText(name, value) {
  if (typeof value === 'string') return value;

  throw new TypeError(`The option "${name}" must be a string`);
}

/**
 * @param {string} name
 * @param {any} value
 * @return {number}
 * @throws {TypeError} If it is no number of bytes
 */
function checkBytes(name, value) {
  if (typeof value === 'number' && value >= 0) return value;

  throw new TypeError(`The option "${name}" must be a number of bytes`);
}

module.exports = { MAX_PENDING, checkBytes, checkText };
