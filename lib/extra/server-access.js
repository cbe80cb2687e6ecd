'use strict';

// What functions of `oxws/extra` may do with a WebSocketServer of this copy.

const { kCounts, kRefusing } = require('../constants');
const { ConnectRequest } = require('../http2/messages');
const Http2UpgradeSocket = require('../http2/upgrade-socket');
const { EMPTY } = require('../payload');
const { driver } = require('./measures');

module.exports = {
  of: 'WebSocketServer',

  /** What it has done so far: see `server-counts.js`. */
  countsOf: (server) => server[kCounts],

  driver,

  /** Answers upgrades with 503 from here on. */
  refuseUpgrades(server) {
    server[kRefusing] = true;
  },

  /** Answers a request for a WebSocket over a stream of HTTP/2. */
  handleConnect(server, stream, headers, callback) {
    const { socket } = new Http2UpgradeSocket(stream);

    server.handleUpgrade(
      new ConnectRequest(stream, headers),
      socket,
      EMPTY,
      callback
    );
  },

  /** Whether nothing more will connect to it, ever. */
  isClosing: (server) => server._state !== 0
};
