'use strict';

// What functions of `oxws/extra` may do with a WebSocketServer of this copy.

const { kRefusing } = require('../constants');

module.exports = {
  of: 'WebSocketServer',

  /** Answers upgrades with 503 from here on. */
  refuseUpgrades(server) {
    server[kRefusing] = true;
  },

  /** Whether nothing more will connect to it, ever. */
  isClosing: (server) => server._state !== 0
};
