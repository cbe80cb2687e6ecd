'use strict';

const { once } = require('events');

const { routes } = require('../support/routes');

/** A message to a server that begins so is a command. */
const COMMAND = Buffer.from('\0command ');

/** The code and reason that a server closes with when told to. */
const CLOSE = [4999, 'as told'];

/** A machine with other work takes long to answer a close frame. */
const CLOSE_TIMEOUT = 600_000;

const COMPRESSION = { threshold: 200, concurrencyLimit: 4 };

/**
 * Echo servers on each route, with and without compression. They close or
 * terminate when told to.
 */
async function serveAll({ WebSocketServer }) {
  const servers = [];

  for (const route of Object.keys(routes)) {
    for (const perMessageDeflate of [false, COMPRESSION]) {
      servers.push(await serve(WebSocketServer, route, { perMessageDeflate }));
    }
  }
  return servers;
}

async function serve(WebSocketServer, route, options) {
  const { createServer, scheme } = routes[route];
  const server = createServer();
  const wss = new WebSocketServer({
    ...(server ? { server } : { port: 0, host: '127.0.0.1' }),
    ...options,
    closeTimeout: CLOSE_TIMEOUT
  });

  if (server) server.listen(0, '127.0.0.1');
  await once(wss, 'listening');
  wss.on('connection', (websocket) => {
    // Those whose client resets the connection, while TLS writes.
    websocket.on('error', () => {});
    websocket.on('message', (data, isBinary) => {
      if (data.subarray(0, COMMAND.length).equals(COMMAND)) {
        obey(websocket, data.toString('utf8', COMMAND.length));
      } else {
        websocket.send(data, { binary: isBinary });
      }
    });
  });

  const { port } = wss.address();

  return {
    route,
    port,
    url: `${scheme}://127.0.0.1:${port}/`,
    compresses: Boolean(options.perMessageDeflate),
    wss,
    async close() {
      await new Promise((resolve) => wss.close(resolve));
      if (server) await new Promise((resolve) => server.close(resolve));
    }
  };
}

function obey(websocket, command) {
  if (command === 'close') websocket.close(...CLOSE);
  if (command === 'terminate') websocket.terminate();
}

module.exports = { CLOSE, CLOSE_TIMEOUT, COMMAND, serveAll };
