'use strict';

/**
 * A package that an example needs and oxws does not. If it is missing the example
 * says so, and ends.
 *
 * @param {string} name
 */
function need(name) {
  try {
    return require(name);
  } catch (err) {
    if (err.code !== 'MODULE_NOT_FOUND') throw err;

    console.error('This example needs %s: npm install %s', name, name);
    process.exit(1);
  }
}

module.exports = need;
