'use strict';

const { once } = require('events');

const { keepAlive } = require('../../lib/extra');
const { connect } = require('../support/connection');
const { linesOf, ownDrivers } = require('../support/drivers');
const { describeEach, oxws } = require('../support/implementations');
const { onRelease, trackWebSocketServer } = require('../support/resources');
const { ends, onceClosed, open, pair } = require('./support/connections');

/** One of each kind: what waits here waits for time. */
const some = ends.filter(({ name }) =>
  [
    'native, server',
    'adopted, client',
    'TLS, server',
    'Duplex, client'
  ].includes(name)
);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function keep(target, options) {
  const keeping = keepAlive(target, options);

  onRelease(() => keeping.stop());
  return keeping;
}

/** Opens a connection of each kind, as `open()` does. */
const openSome = (setup) => Promise.all(some.map((row) => open(row, setup)));

/** Counts the pings of each connection's own end. */
function countPings(connections) {
  const counts = connections.map(() => 0);

  connections.forEach(({ peer }, index) => {
    peer.on('ping', () => counts[index]++);
  });
  return counts;
}

const allOf = (value) => some.map(() => value);

describe(`keepAlive() (${some.map(({ name }) => name).join('; ')})`, () => {
  test('pings who is silent, and leaves alone who answers', async () => {
    const connections = await openSome();

    await Promise.all(
      connections.map(async ({ own, peer }) => {
        keep(own, { pingInterval: 50, pingTimeout: 2000 });
        await once(peer, 'ping');
        await once(peer, 'ping');
      })
    );
    expect(connections.map(({ own }) => own.readyState)).toEqual(allOf(1));
  });

  test('pings nobody who talks', async () => {
    const connections = await openSome();
    const pings = countPings(connections);
    const talking = setInterval(() => {
      for (const { peer } of connections) peer.send('hello');
    }, 5);

    onRelease(() => clearInterval(talking));
    for (const { own } of connections) {
      keep(own, { pingInterval: 200, pingTimeout: 2000 });
    }
    await sleep(700);
    expect(pings).toEqual(allOf(0));
  });

  test('spares who is paused', async () => {
    const connections = await openSome({
      server: { autoPong: false },
      client: { autoPong: false }
    });
    const pings = countPings(connections);

    for (const { own } of connections) {
      own.pause();
      keep(own, { pingInterval: 40, pingTimeout: 40 });
    }
    await sleep(300);
    expect(connections.map(({ own }) => own.readyState)).toEqual(allOf(1));
    expect(pings).toEqual(allOf(0));
    for (const { own } of connections) own.resume();
  });

  test('judges nobody after the event loop was blocked', async () => {
    const connections = await openSome();

    await Promise.all(
      connections.map(({ own, peer }) => {
        keep(own, { pingInterval: 50, pingTimeout: 200 });
        return once(peer, 'ping');
      })
    );

    const end = performance.now() + 1500;

    while (performance.now() < end);
    await sleep(100);
    expect(connections.map(({ own }) => own.readyState)).toEqual(allOf(1));
    await Promise.all(connections.map(({ peer }) => once(peer, 'ping')));
    expect(connections.map(({ own }) => own.readyState)).toEqual(allOf(1));
  });

  test('stops', async () => {
    const connections = await openSome();

    await Promise.all(
      connections.map(async ({ own, peer }) => {
        const keeping = keep(own, { pingInterval: 30, pingTimeout: 30 });

        await once(peer, 'ping');
        keeping[Symbol.dispose]();
      })
    );

    const pings = countPings(connections);

    await sleep(150);
    expect(pings).toEqual(allOf(0));
  });
});

describeEach(ends, 'keepAlive() over each route', (row) => {
  test('terminates who stays silent, and nobody else', async () => {
    const silent = await open(row, {
      server: { autoPong: false },
      client: { autoPong: false }
    });
    const other = await open(row);
    const closed = Promise.all([silent.own, silent.peer].map(onceClosed));

    keep(silent.own, { pingInterval: 30, pingTimeout: 100 });
    keep(other.own, { pingInterval: 30, pingTimeout: 5000 });
    await closed;
    await once(other.peer, 'ping');
    expect(other.own.readyState).toBe(1);
  });
});

describe('keepAlive() of a server', () => {
  test('looks after all its clients, also those that come later', async () => {
    const wss = trackWebSocketServer(new oxws.Server({ port: 0 }));

    keep(wss, { pingInterval: 50, pingTimeout: 150 });

    const url = `ws://localhost:${wss.address().port}`;
    const clients = [];

    for (let count = 0; count < 200; count++) {
      clients.push(new oxws(url, { autoPong: count % 2 === 0 }));
      await once(clients.at(-1), 'open');
    }

    const mute = clients.filter((client, index) => index % 2 === 1);

    await Promise.all(
      mute.map((client) => client.readyState === 3 || onceClosed(client))
    );
    expect(clients.filter(({ readyState }) => readyState === 1)).toHaveLength(
      100
    );
  });

  test('a ping() that throws keeps nobody from being pinged', async () => {
    const lines = await linesOf(
      { library: 'oxws', env: {} },
      async (WebSocket) => {
        const { keepAlive } = require('./lib/extra');
        const { once } = require('events');
        const wss = new WebSocket.Server({ port: 0 });
        const url = `ws://localhost:${wss.address().port}`;

        process.on('uncaughtException', (err) => console.log(err.message));
        wss.once('connection', (websocket) => {
          websocket.ping = () => {
            throw new Error('thrown');
          };
        });

        const first = new WebSocket(url);

        await once(first, 'open');

        const second = new WebSocket(url);

        second.once('ping', () => {
          console.log('pinged');
          first.terminate();
          second.terminate();
          wss.close();
        });
        keepAlive(wss, { pingInterval: 20, pingTimeout: 10000 });
      }
    );

    expect(lines).toEqual(['thrown', 'pinged']);
  });
});

test('is stopped by a ping() that says so', async () => {
  const { server } = await connect(pair);
  const others = [await connect(pair), await connect(pair)];
  const websockets = [server, ...others.map(({ server }) => server)];
  let count = 0;
  const wss = trackWebSocketServer(new oxws.Server({ noServer: true }));

  await new Promise((resolve) => {
    for (const websocket of websockets) {
      wss.clients.add(websocket);
      websocket.ping = () => {
        count++;
        keeping.stop();
        resolve();
      };
    }

    const keeping = keep(wss, { pingInterval: 30 });
  });
  wss.clients.clear();
  expect(count).toBe(1);
});

test('lets go of WebSockets that are closed', async () => {
  const lines = await linesOf(
    { library: 'oxws', env: {} },
    async (WebSocket) => {
      const { once } = require('events');
      const { keepAlive } = require('./lib/extra');
      const wss = new WebSocket.Server({ port: 0 });
      const url = `ws://localhost:${wss.address().port}`;
      global.registry = new FinalizationRegistry(() => {
        console.log('collected');
        process.exit();
      });

      for (let count = 0; count < 10; count++) {
        const client = new WebSocket(url);

        await once(client, 'open');
        global.registry.register(client);
        keepAlive(client, { pingInterval: 3_600_000 });
        client.close();
        await once(client, 'close');
      }
      setInterval(global.gc, 10);
    },
    { flags: ['--expose-gc'] }
  );

  expect(lines).toEqual(['collected']);
});

describeEach(ownDrivers, 'keepAlive() of a server', (driver) => {
  test('keeps no process alive', async () => {
    const lines = await linesOf(driver, (WebSocket) => {
      const { keepAlive } = require('./lib/extra');
      const wss = new WebSocket.Server({ port: 0 });

      keepAlive(wss);
      wss.on('connection', (websocket) => {
        keepAlive(websocket);
        wss.close();
      });

      const client = new WebSocket(`ws://localhost:${wss.address().port}`);

      client.on('open', () => client.close());
      process.on('exit', () => console.log('exits'));
    });

    expect(lines).toEqual(['exits']);
  });
});

test('two that look after the same one do not get into each other', async () => {
  const { server, client } = await connect(pair);
  const closed = jest.fn();

  server.on('close', closed);
  keep(server, { pingInterval: 30, pingTimeout: 1000 });
  keep(server, { pingInterval: 70, pingTimeout: 1500 });
  for (let count = 0; count < 5; count++) await once(client, 'ping');
  expect(closed).not.toHaveBeenCalled();
});

test.each([
  [{ pingInterval: 0 }, RangeError],
  [{ pingInterval: Infinity }, RangeError],
  [{ pingTimeout: '1' }, TypeError]
])('%j is refused', (options, error) => {
  const websocket = new oxws(null, undefined, {});

  expect(() => keepAlive(websocket, options)).toThrow(error);
});
