'use strict';

const net = require('net');

/**
 * A class of Node's whose objects have the fields in which native functions
 * look for what an object stands for, and nothing in them. Whatever has no such
 * fields they take for something else: the process would die.
 *
 * @return {any}
 */
function unwrappedClass() {
  let found = class {};

  if (
    process.versions.bun === undefined &&
    process.versions.deno === undefined
  ) {
    // The only way to see one: Node asks a handle to shut down with it.
    const _handle = {
      shutdown(request) {
        found = request.constructor;
        return 0;
      }
    };
    const { _final } = /** @type {any} */ (net.Socket.prototype);

    _final.call({ connecting: false, _handle }, () => {});
  }

  return found;
}

module.exports = unwrappedClass();
