'use strict';

const { once } = require('events');

const {
  trackServer,
  trackWebSocket,
  trackWebSocketServer
} = require('./resources');
const { rawServer, rawClient, switchingProtocols } = require('./raw');
const { routes } = require('./routes');

/**
 * A listening WebSocketServer on the given route.
 *
 * @param {{ WebSocketServer: Function, route?: string }} row
 * @param {object} [options] of the WebSocketServer
 * @returns {Promise<{ wss, port: number, url: string, httpServer }>}
 */
async function listen({ WebSocketServer, route = 'native' }, options = {}) {
  const { createServer, scheme } = routes[route];
  const httpServer = createServer();
  let wss;

  if (httpServer === null) {
    wss = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  } else {
    trackServer(httpServer);
    wss = new WebSocketServer({ server: httpServer, ...options });
    httpServer.listen(0, '127.0.0.1');
  }
  trackWebSocketServer(wss);
  await once(wss, 'listening');

  const { port } = wss.address();
  return { wss, port, url: `${scheme}://127.0.0.1:${port}/`, httpServer };
}

/** A client on the given route, still connecting. */
function dial({ WebSocket, route = 'native' }, url, protocols, options = {}) {
  return trackWebSocket(
    new WebSocket(url, protocols, {
      ...routes[route].clientOptions(),
      ...options
    })
  );
}

/**
 * A server and a client that are connected with each other.
 *
 * @param {object} pair a row of implementations.js
 * @param {object} [setup]
 * @param {object} [setup.server] options of the WebSocketServer
 * @param {object} [setup.client] options of the WebSocket
 * @param {string[]} [setup.protocols]
 * @param {Function} [setup.onServer] runs in 'connection' with the server's
 *     WebSocket
 * @param {Function} [setup.onClient] runs right after the constructor
 * @returns {Promise<{ wss, url, server, client, request }>} `server` is the
 *     server's WebSocket of this connection
 */
async function connect(pair, setup = {}) {
  const { wss, url } = await listen(pair, setup.server);
  const connected = new Promise((resolve) => {
    wss.once('connection', (server, request) => {
      if (setup.onServer) setup.onServer(server);
      resolve({ server, request });
    });
  });
  const client = dial(pair, url, setup.protocols, setup.client);

  if (setup.onClient) setup.onClient(client);

  const [{ server, request }] = await Promise.all([
    connected,
    once(client, 'open')
  ]);
  return { wss, url, server, client, request };
}

/**
 * A server's WebSocket whose client is raw. Resolves
 * `{ wss, websocket, peer, port }`.
 */
async function serveRaw({ lib, route }, options, setup = {}) {
  const { wss, port } = await listen(
    { WebSocketServer: lib.WebSocketServer, route },
    options
  );
  const connected = new Promise((resolve) => {
    wss.once('connection', (websocket) => {
      if (setup.onWebSocket) setup.onWebSocket(websocket);
      resolve(websocket);
    });
  });
  const [websocket, peer] = await Promise.all([
    connected,
    rawClient(port, { route, ...setup.request })
  ]);

  return { wss, websocket, peer, port };
}

/**
 * An open client whose server is raw. `setup.early` are bytes sent with the
 * 101. Resolves `{ websocket, peer }`.
 */
async function dialRaw({ lib, route }, options, setup = {}) {
  let onPeer;
  const connected = new Promise((resolve) => (onPeer = resolve));
  const { url } = await rawServer((peer, head) => {
    peer.request = head;
    peer.write(switchingProtocols(head, setup.headers), setup.early || '');
    onPeer(peer);
  }, route);
  const websocket = dial({ WebSocket: lib.WebSocket, route }, url, [], options);

  if (setup.onWebSocket) setup.onWebSocket(websocket);

  const [peer] = await Promise.all([connected, once(websocket, 'open')]);
  return { websocket, peer };
}

module.exports = { connect, dial, dialRaw, listen, serveRaw };
