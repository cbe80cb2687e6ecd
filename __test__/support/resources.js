'use strict';

const releases = [];

/** Has `release` awaited after the running test, the latest first. */
function onRelease(release) {
  releases.push(release);
}

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

/** Closes the WebSocket after the test, whatever state it is in. */
function trackWebSocket(websocket) {
  onRelease(async () => {
    if (websocket.readyState === websocket.CLOSED) return;

    const closed = new Promise((resolve) => websocket.once('close', resolve));
    websocket.on('error', () => {});
    websocket.terminate();
    await closed;
  });
  return websocket;
}

/** Closes the WebSocketServer and its clients after the test. */
function trackWebSocketServer(wss) {
  onRelease(async () => {
    for (const websocket of wss.clients || []) websocket.terminate();
    await new Promise((resolve) => wss.close(resolve));
  });
  return wss;
}

/** Closes a net, http or https server and its sockets after the test. */
function trackServer(server) {
  const sockets = new Set();

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  onRelease(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

/** Destroys the socket after the test. */
function trackSocket(socket) {
  onRelease(async () => {
    if (socket.closed) return;

    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  });
  return socket;
}

/** Until the test ends JavaScript keeps the sockets that Node upgraded. */
function doNotAdopt() {
  const before = process.env.OXWS_ADOPT;

  process.env.OXWS_ADOPT = '0';
  onRelease(() => {
    if (before === undefined) delete process.env.OXWS_ADOPT;
    else process.env.OXWS_ADOPT = before;
  });
}

module.exports = {
  doNotAdopt,
  onRelease,
  trackServer,
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
};
