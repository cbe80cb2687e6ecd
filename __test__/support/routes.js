'use strict';

const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const path = require('path');
const tls = require('tls');

const key = fs.readFileSync(path.join(__dirname, 'tls', 'key.pem'));
const cert = fs.readFileSync(path.join(__dirname, 'tls', 'certificate.pem'));

/**
 * How a socket reaches a WebSocket, seen from outside:
 * `createServer()`   the http(s).Server to hand to a WebSocketServer, or null
 *                    when the WebSocketServer listens on its own port;
 * `clientOptions()`  the WebSocket options that put a client on this route;
 * `scheme`           of the URL;
 * `connect(port)`    a raw socket to a server of this route;
 * `listen(onSocket)` a raw server for clients of this route.
 */
const plain = {
  scheme: 'ws',
  connect: (port) =>
    net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  listen: (onSocket) => net.createServer({ allowHalfOpen: true }, onSocket)
};

const routes = {
  native: {
    ...plain,
    createServer: () => null,
    clientOptions: () => ({})
  },
  adopted: {
    ...plain,
    createServer: () => http.createServer(),
    clientOptions: () => ({ agent: new http.Agent() })
  },
  TLS: {
    scheme: 'wss',
    createServer: () => https.createServer({ key, cert }),
    clientOptions: () => ({ rejectUnauthorized: false }),
    connect: (port) =>
      tls.connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        allowHalfOpen: true
      }),
    listen: (onSocket) =>
      // A small write waits for no acknowledgement of the one before it.
      tls.createServer(
        { key, cert, allowHalfOpen: true, noDelay: true },
        onSocket
      )
  }
};

module.exports = { certificate: cert, key, routes };
