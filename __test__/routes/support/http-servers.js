'use strict';

const { once } = require('events');
const http = require('http');
const https = require('https');

const { doNotAdopt, trackServer } = require('../../support/resources');
const { certificate, key } = require('../../support/routes');

/**
 * The http servers of a user that a WebSocketServer may sit behind. `route` is
 * that of a raw client, `link` what carries the connections in oxws.
 */
const kinds = [
  {
    name: 'http',
    scheme: 'ws',
    route: 'adopted',
    create: (options = {}) => http.createServer(options)
  },
  {
    name: 'http, not adopted',
    scheme: 'ws',
    route: 'adopted',
    create(options = {}) {
      doNotAdopt();
      return http.createServer(options);
    }
  },
  {
    name: 'https',
    scheme: 'wss',
    route: 'TLS',
    create: (options = {}) =>
      https.createServer({ key, cert: certificate, ...options })
  }
];

/** A listening server of this kind. Resolves `{ server, port, url }`. */
async function listen(kind, options) {
  const server = trackServer(kind.create(options));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = server.address();
  return { server, port, url: `${kind.scheme}://127.0.0.1:${port}/` };
}

/** Options that make a client of any of them trust and end with the test. */
const clientOptions = { perMessageDeflate: false, rejectUnauthorized: false };

module.exports = { clientOptions, kinds, listen };
