'use strict';

/**
 * Has fields that a class keeps in its prototype be as little enumerable there as
 * its methods: a program that goes through the members finds those of `ws`.
 *
 * @param {Function} Class
 * @param {string[]} names
 */
function hideFields(Class, names) {
  for (const name of names) {
    Object.defineProperty(Class.prototype, name, { enumerable: false });
  }
}

module.exports = hideFields;
