'use strict';

const { AsyncResource } = require('async_hooks');

/** @typedef {import('./native-link')} NativeLink */

/**
 * The async context of a connection that is dialled. Who looks for what keeps
 * the process alive finds it under the name that Node's handles have.
 */
class ConnectionResource extends AsyncResource {
  /** @param {string} type */
  constructor(type) {
    super(type);

    /** @type {?NativeLink} */
    this.link = null;
  }

  /** Whether it keeps the process alive. */
  hasRef() {
    return this.link !== null && !this.link.isClosed;
  }
}

module.exports = ConnectionResource;
