'use strict';

const Http2ClientHandshake = require('../http2/client-handshake');
const WebSocket = require('../websocket');
const { accessToServer } = require('./access');

/** On the listeners that servers of Node's have from here, or from another copy. */
const kIsOurs = Symbol.for('oxws.http2-listener');

/**
 * Has a WebSocketServer take WebSockets over HTTP/2 (RFC 8441) from a server of
 * Node's, and over HTTP/1.1 where that server allows it.
 *
 * @param {any} wss
 * @param {any} server An Http2Server or Http2SecureServer, before it listens
 * @throws {TypeError} If an argument is something else
 */
function serveHttp2(wss, server) {
  const { handleConnect } = accessToServer(wss);

  if (typeof server?.updateSettings !== 'function') {
    throw new TypeError('Expected a server of node:http2');
  }

  // As it is now, as with a server that is given as an option.
  const emitConnection = wss.emit.bind(wss, 'connection');
  const answer = (stream, headers) =>
    handleConnect(wss, stream, headers, emitConnection);
  const listeners = {
    stream(stream, headers) {
      if (headers[':method'] !== 'CONNECT') return;

      if (isForWebSocket(headers) || hasOnlyOurs(server, 'stream')) {
        answer(stream, headers);
      }
    },

    upgrade(request, socket, head) {
      wss.handleUpgrade(request, socket, head, emitConnection);
    },

    // Node.js emits it for every CONNECT, if it emits 'request' for the others.
    connect(request, response) {
      const { headers, stream } = request;

      if (isForWebSocket(headers) || !hasOnlyOurs(server, 'connect')) return;

      // Over HTTP/1.1 there is a socket in its place.
      if (stream === undefined) response.destroy();
      else answer(stream, headers);
    }
  };

  server.updateSettings({ enableConnectProtocol: true });
  for (const [event, listener] of Object.entries(listeners)) {
    listener[kIsOurs] = true;
    server.on(event, listener);
  }

  wss.once('close', () => {
    for (const [event, listener] of Object.entries(listeners)) {
      server.removeListener(event, listener);
    }
  });
}

/** @param {Object<string, any>} headers Of a CONNECT */
function isForWebSocket(headers) {
  return headers[':protocol'] === 'websocket';
}

/** Node.js refuses what nobody listens for: what nobody else does, we refuse. */
function hasOnlyOurs(server, event) {
  return server.listeners(event).every((listener) => listener[kIsOurs]);
}

/**
 * Answers a request for a WebSocket over a stream, which a server emitted as
 * 'stream'.
 *
 * @param {any} wss
 * @param {any} stream A ServerHttp2Stream
 * @param {Object<string, any>} headers
 * @param {function(WebSocket, any): void} cb
 * @throws {TypeError} If an argument is something else
 */
function handleConnect(wss, stream, headers, cb) {
  const access = accessToServer(wss);

  if (typeof stream?.respond !== 'function') {
    throw new TypeError('Expected a stream of a server of node:http2');
  }

  access.handleConnect(wss, stream, headers, cb);
}

/**
 * Opens a WebSocket over a session of HTTP/2.
 *
 * @param {any} session A ClientHttp2Session
 * @param {(string|URL)} address
 * @param {(string|string[]|Object)} [protocols] The subprotocols to offer; or
 *     the options
 * @param {Object} [options] Those of a client
 * @return {WebSocket}
 * @throws {(TypeError|SyntaxError|RangeError)} If an argument is invalid
 */
function connectHttp2(session, address, protocols, options) {
  if (
    typeof session?.request !== 'function' ||
    typeof session.ping !== 'function'
  ) {
    throw new TypeError('Expected a session of a client of node:http2');
  }

  [protocols, options] = Http2ClientHandshake.sortArguments(protocols, options);

  const websocket = new WebSocket(
    null,
    undefined,
    Http2ClientHandshake.resolveOptions(options)
  );

  websocket._isServer = false;
  new Http2ClientHandshake(
    websocket,
    session,
    address,
    protocols,
    options
  ).start();

  return websocket;
}

module.exports = { connectHttp2, handleConnect, serveHttp2 };
