'use strict';

const { once } = require('events');

const { dial, listen } = require('../../support/connection');
const { ws } = require('../../support/implementations');

/**
 * A listening server of the row that echoes, and `serves()`: a good client,
 * which is always ws, is served as if nothing had happened.
 *
 * @returns {Promise<{ wss, port: number, url: string, serves: Function }>}
 */
async function echoServer({ lib, route }, options) {
  const server = await listen(
    { WebSocketServer: lib.WebSocketServer, route },
    options
  );

  server.wss.on('connection', (websocket) => {
    websocket.on('error', () => {});
    websocket.on('message', (data, isBinary) => {
      websocket.send(data, { binary: isBinary });
    });
  });
  return { ...server, serves: () => converse(route, server.url) };
}

async function converse(route, url) {
  const client = dial({ WebSocket: ws.WebSocket, route }, url);

  await once(client, 'open');
  client.send('still there?');

  const [data] = await once(client, 'message');

  expect(String(data)).toBe('still there?');
  client.close(1000);
  expect((await once(client, 'close'))[0]).toBe(1000);
}

module.exports = { echoServer };
