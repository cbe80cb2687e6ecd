'use strict';

const { AsyncLocalStorage } = require('async_hooks');
const { once } = require('events');

const { paths, runNode } = require('../support/child');
const { connect, dial, listen } = require('../support/connection');
const {
  canAdopt,
  describeEach,
  implementations,
  pairs,
  routedPairs,
  ws
} = require('../support/implementations');

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

/** The same with `ws` on both sides. */
const oracleOf = ({ route }) => ({
  WebSocketServer: ws.WebSocketServer,
  WebSocket: ws,
  route
});

/** What the listeners of two connections see when each enters a store. */
async function enteredBy(pair) {
  const { wss, url } = await listen(pair);
  const seen = [];
  const websockets = {};

  wss.on('connection', (websocket, request) => {
    const name = request.url.slice(1);

    websockets[name] = websocket;

    websocket.on('message', (data) => {
      seen.push(`${name} ${data}: ${storage.getStore()}`);
      storage.enterWith(name);
      websocket.send(data);
    });
    websocket.on('ping', () => {
      seen.push(`${name} ping: ${storage.getStore()}`);
    });
    websocket.on('close', () => {
      seen.push(`${name} close: ${storage.getStore()}`);
    });
  });

  const clients = {};

  for (const name of ['a', 'b', 'c']) {
    clients[name] = dial(pair, url + name);
    await once(clients[name], 'open');
  }

  for (const text of ['a1', 'b1', 'a2', 'c1', 'b2', 'a3']) {
    clients[text[0]].send(text);
    await once(clients[text[0]], 'message');
  }

  for (const [name, client] of Object.entries(clients)) {
    client.ping();
    await once(client, 'pong');
    client.close();
    await once(websockets[name], 'close');
  }
  return seen;
}

/** The same of two clients, the second of which was made inside a store. */
async function enteredByClients(pair) {
  const { wss, url } = await listen(pair);
  const seen = [];
  const clients = {};

  wss.on('connection', (server) => {
    server.on('message', (data) => server.send(data));
  });

  for (const name of ['a', 'b']) {
    const create = () => dial(pair, url);
    const client = name === 'a' ? create() : storage.run('b made', create);
    const note = (event) => {
      seen.push(`${name} ${event}: ${storage.getStore()}`);
      storage.enterWith(`${name} ${event}`);
    };

    clients[name] = client;
    client.on('open', () => note('open'));
    client.on('message', (data) => note(`message ${data}`));
    client.on('close', () => note('close'));
    await once(client, 'open');
  }

  for (const [name, text] of ['a1', 'b1', 'b2', 'a2']) {
    clients[name].send(text);
    await once(clients[name], 'message');
  }

  for (const client of Object.values(clients)) {
    client.close();
    await once(client, 'close');
  }
  return seen;
}

/** What 'close' sees where somebody else has ended it here. */
async function seenByClose(pair, side, end) {
  const { wss, url } = await listen(pair);
  const accepted = once(wss, 'connection');
  const client = storage.run('client', () => dial(pair, url));
  const [[server]] = await Promise.all([accepted, once(client, 'open')]);
  const websocket = side === 'server' ? server : client;
  const closed = new Promise((resolve) => {
    websocket.on('close', () => resolve(storage.getStore()));
  });

  setTimeout(() => storage.run('caller', end, websocket), 10);
  return closed;
}

/** What the callbacks of sends see; the kernel does not take the third one. */
async function seenByCallbacks(pair) {
  const { server } = await connect(pair);
  const seen = {};
  const send = (name, data) =>
    new Promise((resolve) => {
      storage.run(name, () =>
        server.send(data, () => {
          seen[name] = storage.getStore();
          resolve();
        })
      );
    });

  // The response of the handshake has left.
  await new Promise(setImmediate);
  await Promise.all([
    send('a', 'x'),
    send('b', 'x'),
    send('long', Buffer.alloc(30e6)),
    send('behind', 'x')
  ]);
  await send('later', 'x');
  await new Promise((resolve) => {
    storage.run('ping', () =>
      server.ping('', false, () => {
        seen.ping = storage.getStore();
        resolve();
      })
    );
  });
  return seen;
}

describeEach(routedPairs, 'AsyncLocalStorage', (pair) => {
  test('what a listener enters stays with its connection', async () => {
    expect(await enteredBy(pair)).toEqual(await enteredBy(oracleOf(pair)));
  });

  test('what a listener of a client enters stays with it', async () => {
    expect(await enteredByClients(pair)).toEqual(
      await enteredByClients(oracleOf(pair))
    );
  });

  test.each([
    ['server', 'terminate()', (websocket) => websocket.terminate()],
    ['client', 'terminate()', (websocket) => websocket.terminate()],
    ['server', 'destroy()', ({ _socket: socket }) => socket.destroy()],
    ['client', 'destroy()', ({ _socket: socket }) => socket.destroy()]
  ])("'close' of a %s has its own, not that of %s", async (side, _, end) => {
    expect(await seenByClose(pair, side, end)).toBe(
      await seenByClose(oracleOf(pair), side, end)
    );
  });

  test('a callback of send() has the context that it has with ws', async () => {
    expect(await seenByCallbacks(pair)).toEqual(
      await seenByCallbacks(oracleOf(pair))
    );
  });

  test('a client has that of its constructor to the end', async () => {
    const { wss, url } = await listen(pair);
    const seen = {};

    wss.on('connection', (websocket) => websocket.send('x'));

    const client = storage.run('client', () => dial(pair, url));

    for (const event of ['upgrade', 'open', 'message', 'close']) {
      client.on(event, () => (seen[event] = storage.getStore()));
    }
    await once(client, 'message');
    client.close();
    await once(client, 'close');
    expect(seen).toEqual({
      upgrade: 'client',
      open: 'client',
      message: 'client',
      close: 'client'
    });
  });
});

describeEach(implementations, 'AsyncLocalStorage', ({ name, lib }) => {
  test('nothing is left of who loaded the library', async () => {
    const main = (storage, WebSocket) => {
      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
        const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

        client.on('open', () => client.send('x'));
      });

      wss.on('connection', (websocket) => {
        websocket.on('message', () => {
          console.log(storage.getStore());
          process.exit();
        });
      });
    };
    const { code, stdout } = await runNode([
      '-e',
      `const { AsyncLocalStorage } = require('async_hooks');
      const storage = new AsyncLocalStorage();
      const load = () => require(${JSON.stringify(paths[name])});

      (${main})(storage, storage.run('loader', load));`
    ]);

    expect({ code, stdout }).toEqual({ code: 0, stdout: 'undefined\n' });
  });

  test('one connection has nothing of another in "connection"', async () => {
    const { wss, url } = await listen(lib);
    const seen = [];

    wss.on('connection', (websocket) => {
      websocket.on('message', () => {
        seen.push(storage.getStore());
        storage.enterWith('message');
        websocket.send('x');
      });
    });

    for (let i = 0; i < 2; i++) {
      const client = dial({ WebSocket: lib }, url);

      await once(client, 'open');
      client.send('x');
      await once(client, 'message');
      client.close();
      await once(client, 'close');
    }
    expect(seen).toEqual([undefined, undefined]);
  });
});

describe('AsyncLocalStorage of oxws', () => {
  const [, , , pair] = pairs;
  const testOwnRequest = canAdopt ? test : test.skip;

  testOwnRequest(
    'of a request is nothing that an earlier one entered',
    async () => {
      const { wss, url } = await listen(pair);
      const seen = [];

      wss.on('connection', () => {
        seen.push(storage.getStore());
        storage.enterWith('request');
      });

      for (let i = 0; i < 2; i++) {
        const client = dial(pair, url);

        await once(client, 'open');
        client.close();
        await once(client, 'close');
      }
      expect(seen).toEqual([undefined, undefined]);
    }
  );

  test('of a compressed message is that of its send()', async () => {
    const { server } = await connect(pair, {
      server: { perMessageDeflate: { threshold: 0 } }
    });
    const seen = {};

    for (const name of ['a', 'b']) {
      await new Promise((resolve) => {
        storage.run(name, () =>
          server.send('x', () => {
            seen[name] = storage.getStore();
            resolve();
          })
        );
      });
    }
    expect(seen).toEqual({ a: 'a', b: 'b' });
  });
});
