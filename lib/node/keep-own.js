'use strict';

/**
 * Gives an object a property of its own in the place of an inherited accessor:
 * what programs put there is what they read from here on.
 */
function keepOwn(object, name, value) {
  Object.defineProperty(object, name, {
    configurable: true,
    enumerable: true,
    value,
    writable: true
  });
}

module.exports = keepOwn;
