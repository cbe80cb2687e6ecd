'use strict';

const { AsyncLocalStorage } = require('async_hooks');
const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, pairs } = require('../support/implementations');
const { ws } = require('../support/implementations');

const storage = new AsyncLocalStorage();

/** The store that each event of a connection sees, by side and event. */
async function storesOf(pair) {
  const stores = {};
  const note = (side, websocket) => {
    for (const event of ['open', 'message', 'ping', 'pong', 'close']) {
      websocket.on(event, () => {
        (stores[side] ??= {})[event] = storage.getStore();
      });
    }
  };
  function WebSocketServer(options) {
    const wss = storage.run('server', () => new pair.WebSocketServer(options));

    wss.on('connection', () => (stores.connection = storage.getStore()));
    return wss;
  }
  function WebSocket(...args) {
    return storage.run('client', () => new pair.WebSocket(...args));
  }
  const listening = (side) => (websocket) =>
    storage.run('listener', () => note(side, websocket));
  const { client, server } = await storage.run('harness', () =>
    connect(
      { WebSocketServer, WebSocket },
      { onServer: listening('server'), onClient: listening('client') }
    )
  );

  await storage.run('sender', async () => {
    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      from.send('x');
      from.ping();
      await Promise.all([
        once(to, 'message'),
        once(to, 'ping'),
        once(from, 'pong')
      ]);
    }
    client.close();
    await Promise.all([once(client, 'close'), once(server, 'close')]);
  });
  return stores;
}

describeEach(pairs, 'AsyncLocalStorage', (pair) => {
  test('of a client is that of its constructor', async () => {
    const { client } = await storesOf(pair);

    expect(client).toEqual({
      open: 'client',
      message: 'client',
      ping: 'client',
      pong: 'client',
      close: 'client'
    });
  });

  test('of a server is what it is with ws', async () => {
    const { server, connection } = await storesOf(pair);
    const expected = await storesOf({
      WebSocketServer: ws.WebSocketServer,
      WebSocket: ws
    });

    expect({ server, connection }).toEqual({
      server: expected.server,
      connection: expected.connection
    });
  });
});
