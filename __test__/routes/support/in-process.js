'use strict';

// For programs outside of Jest: what they open stays until they end.
globalThis.afterEach = () => {};

const { routes } = require('./routes');

/** Opens the route of this name; resolves what its `open()` does. */
function openRoute(WebSocket, name, perMessageDeflate = false) {
  const { WebSocketServer } = WebSocket;

  return routes
    .find((route) => route.name === name)
    .open(
      {
        serverLib: WebSocket,
        clientLib: WebSocket,
        WebSocket,
        WebSocketServer
      },
      { client: { perMessageDeflate }, server: { perMessageDeflate } }
    );
}

/** A connection that keeps nothing alive, and to which nobody listens. */
async function openReleased(WebSocket, name) {
  const connection = await openRoute(WebSocket, name);

  stopListening(connection);
  connection.server._socket.unref();
  connection.client._socket.unref();
  return connection;
}

/** Stops listening; connections stay. */
function stopListening({ wss, request }) {
  wss.close();
  // Its own port is closed with it.
  if (request.socket.server) request.socket.server.close();
}

module.exports = { openReleased, openRoute, stopListening };
