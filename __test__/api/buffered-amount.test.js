'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedPairs
} = require('../support/implementations');

const deflate = {
  server: { perMessageDeflate: { threshold: 0 } },
  client: { perMessageDeflate: { threshold: 0 } }
};

/** More than two sockets hold for each other. */
const LIMIT = 64 << 20;

/** Sends without a pause until some of it has to wait in the process. */
function sendUntilBuffered(websocket, size) {
  for (let sent = 0; websocket.bufferedAmount === 0; sent += size) {
    if (sent > LIMIT) throw new Error('nothing is ever buffered');
    websocket.send(Buffer.alloc(size));
  }
}

describeEach(routedPairs, 'bufferedAmount', (pair) => {
  test('grows while the other side does not read', async () => {
    const { client, server } = await connect(pair);

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      to.pause();

      sendUntilBuffered(from, 1 << 16);
      expect(from.bufferedAmount).toBeGreaterThan(0);
      to.resume();
      to.on('message', () => {});
      await new Promise((resolve) => from.send('end', resolve));
      expect(from.bufferedAmount).toBe(0);
    }
  });

  test('grows in a loop that never waits', async () => {
    const { client, server } = await connect(pair);

    server.pause();
    sendUntilBuffered(client, 1024);
    expect(client.bufferedAmount).toBeGreaterThan(0);
  });

  test('counts what is compressed with its own length', async () => {
    const { client, server } = await connect(pair, deflate);
    const send = [
      [5, (from, cb) => from.send('hello', cb)],
      [0, (from, cb) => from.send('', cb)],
      [1000, (from, cb) => from.send(Buffer.alloc(1000), cb)],
      [5, (from, cb) => from.send('\u00e9\u20ac', cb)],
      [
        11,
        (from, cb) => {
          from.send('hello');
          from.send('world!', cb);
        }
      ],
      [
        8,
        (from, cb) => {
          from.send('hello');
          from.ping('abc', undefined, cb);
        }
      ],
      [
        10,
        (from, cb) => {
          from.send('hello', { fin: false });
          from.send('world', cb);
        }
      ]
    ];

    for (const from of [client, server]) {
      for (const [length, act] of send) {
        const written = new Promise((resolve) => act(from, resolve));

        expect(from.bufferedAmount).toBe(length);
        await written;
        await new Promise(setImmediate);
        expect(from.bufferedAmount).toBe(0);
      }
    }
  });

  test('is what the state of the socket says', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: false },
      client: { perMessageDeflate: false }
    });
    const { _socket: socket } = client;

    server.pause();
    sendUntilBuffered(client, 1024);

    let amount, length, writable;

    // The kernel may take some at any time.
    do {
      amount = client.bufferedAmount;
      length = socket._writableState.length;
      writable = socket.writableLength;
    } while (client.bufferedAmount !== amount);

    expect(amount).toBeGreaterThan(0);
    expect([length, writable]).toEqual([amount, amount]);

    server.on('message', () => {});
    server.resume();
    client.close();
    await Promise.all([once(socket, 'finish'), once(client, 'close')]);
    expect(socket._writableState.length).toBe(0);
  });

  test('counts headers and masks too', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: false },
      client: { perMessageDeflate: false }
    });

    for (const [from, to, overhead] of [
      [client, server, 8],
      [server, client, 4]
    ]) {
      to.pause();
      sendUntilBuffered(from, 1 << 16);

      const before = from.bufferedAmount;

      from.send(Buffer.alloc(1000));
      expect(from.bufferedAmount - before).toBe(1000 + overhead);
    }
  });

  test('is 0 in the callback of the last send()', async () => {
    const { client, server } = await connect(pair);

    server.on('message', () => {});
    expect(
      await new Promise((resolve) => {
        client.send(Buffer.alloc(4 << 20));
        client.send('last', () => resolve(client.bufferedAmount));
      })
    ).toBe(0);
  });
});

const plainPairs = routedPairs.filter(({ route }) => route !== 'TLS');

describeEach(plainPairs, 'bufferedAmount on an idle connection', (pair) => {
  test('is 0 when the connection opens', async () => {
    const amounts = [];

    await connect(pair, {
      onServer: (server) => amounts.push(server.bufferedAmount),
      onClient: (client) => {
        client.on('open', () => amounts.push(client.bufferedAmount));
      }
    });
    expect(amounts).toEqual([0, 0]);
  });

  test('is 0 right after small sends', async () => {
    const { client, server } = await connect(pair);

    for (const websocket of [client, server]) {
      websocket.send('x');
      expect(websocket.bufferedAmount).toBe(0);
      websocket.send(Buffer.alloc(1000));
      websocket.ping();
      expect(websocket.bufferedAmount).toBe(0);
    }
  });

  test('is 0 right after close()', async () => {
    for (const side of ['client', 'server']) {
      const connection = await connect(pair);

      connection[side].close(1000, 'reason');
      expect(connection[side].bufferedAmount).toBe(0);
    }
  });

  test('is 0 after a send in a listener too', async () => {
    const { client, server } = await connect(pair);
    const amounts = new Promise((resolve) => {
      server.on('message', () => {
        server.send('answer');
        resolve(server.bufferedAmount);
      });
    });

    client.send('x');
    expect(await amounts).toBe(0);
  });
});

describeEach(pairs, 'bufferedAmount with compression', (pair) => {
  test('is the data until it is compressed', async () => {
    const { client } = await connect(pair, deflate);
    const amounts = [];
    const sent = new Promise((resolve) => {
      client.send('foo', () => amounts.push(client.bufferedAmount));
      amounts.push(client.bufferedAmount);
      client.send('bar', () => {
        amounts.push(client.bufferedAmount);
        resolve();
      });
      amounts.push(client.bufferedAmount);
    });

    await sent;
    expect(amounts[0]).toBe(3);
    expect(amounts[1]).toBe(6);
    expect(amounts[3]).toBe(0);
  });

  test('counts what waits behind it', async () => {
    const { client, server } = await connect(pair, deflate);
    const received = new Promise((resolve) => {
      server.on('message', (data) => String(data) === 'end' && resolve());
    });

    client.send('12345');
    client.ping('67');
    client.send(new Blob(['890']));
    expect(client.bufferedAmount).toBe(10);
    client.send('end');
    await received;
  });

  test('counts a Blob until it is read', async () => {
    const { client, server } = await connect(pair);

    client.send(new Blob(['12345']));
    expect(client.bufferedAmount).toBe(5);
    client.send('678');
    expect(client.bufferedAmount).toBe(8);
    await once(server, 'message');
  });
});
