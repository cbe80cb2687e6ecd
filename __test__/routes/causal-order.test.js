'use strict';

const { once } = require('events');

const { describeEach, implementations } = require('../support/implementations');
const {
  trackServer,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { routes } = require('../support/routes');

/** Connections, one after the other: what comes too early does not always. */
const ROUNDS = 20;

const rows = implementations.flatMap((implementation) =>
  Object.entries(routes).map(([name, route]) => ({
    ...implementation,
    name: `${name}: ${implementation.name}`,
    route
  }))
);

/** The port of a server on that route, and the WebSocketServer. */
async function listen({ lib, route }) {
  const server = route.createServer();
  const wss = trackWebSocketServer(
    new lib.WebSocketServer(
      server === null ? { host: '127.0.0.1', port: 0 } : { server }
    )
  );

  if (server !== null) trackServer(server).listen(0, '127.0.0.1');
  await once(wss, 'listening');
  return wss;
}

/** Who hears what, when each side greets the other at once. */
async function greet(wss, { lib, route }) {
  const heard = [];
  const { port } = wss.address();
  const client = trackWebSocket(
    new lib.WebSocket(
      `${route.scheme}://127.0.0.1:${port}`,
      route.clientOptions()
    )
  );
  const [[websocket]] = await Promise.all([
    new Promise((resolve) =>
      wss.once('connection', (websocket) => {
        websocket.send('from the server');
        websocket.on('message', (data) => heard.push(String(data)));
        resolve([websocket]);
      })
    ),
    new Promise((resolve) => {
      client.on('open', () => client.send('from the client'));
      client.on('message', (data) => {
        heard.push(String(data));
        resolve();
      });
    })
  ]);

  while (heard.length < 2) await once(websocket, 'message');
  client.close();
  await Promise.all([once(client, 'close'), once(websocket, 'close')]);
  return heard;
}

describeEach(rows, 'the first messages of both sides', (row) => {
  test('are heard in the order in which they were sent', async () => {
    const wss = await listen(row);

    for (let round = 0; round < ROUNDS; round++) {
      expect(await greet(wss, row)).toEqual([
        'from the server',
        'from the client'
      ]);
    }
  });
});
