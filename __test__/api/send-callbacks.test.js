'use strict';

const { once } = require('events');

const { connect, dial, listen } = require('../support/connection');
const {
  describeEach,
  isReadHere,
  pairs,
  routedPairs
} = require('../support/implementations');

/** Sends more than the kernel takes while the other side does not read. */
function fill(websocket) {
  for (let count = 0; count < 16; count++)
    websocket.send(Buffer.alloc(1 << 20));
}

describeEach(routedPairs, 'the callback of send()', (pair) => {
  test('runs later than send() returns', async () => {
    const { client, server } = await connect(pair);

    for (const websocket of [client, server]) {
      const order = [];

      await new Promise((resolve) => {
        websocket.send('x', (err) => {
          order.push(['callback', err === undefined || err === null]);
          resolve();
        });
        order.push('returned');
      });
      expect(order).toEqual(['returned', ['callback', true]]);
    }
  });

  test('runs once each, in the order of the calls', async () => {
    const { client, server } = await connect(pair);
    const order = [];
    const note = (name) => () => order.push(name);

    server.on('message', () => {});
    await new Promise((resolve) => {
      client.send('a', note('send'));
      client.ping('b', undefined, note('ping'));
      client.send(Buffer.alloc(1 << 20), note('large'));
      client.pong(note('pong'));
      client.send(new Blob(['c']), note('blob'));
      client.send('d', {}, note('options'));
      client.send('e', { fin: false }, note('fragment'));
      client.send('', { fin: true }, () => {
        order.push('last');
        resolve();
      });
    });
    await new Promise(setImmediate);
    expect(order).toEqual([
      'send',
      'ping',
      'large',
      'pong',
      'blob',
      'options',
      'fragment',
      'last'
    ]);
  });

  test('runs for sends made inside a listener', async () => {
    const { client, server } = await connect(pair);
    const order = [];
    const finished = new Promise((resolve) => {
      server.on('message', (data) => {
        server.send(data, () => {
          order.push(String(data));
          if (order.length === 3) resolve();
        });
      });
    });

    for (const data of ['1', '2', '3']) client.send(data);
    await finished;
    expect(order).toEqual(['1', '2', '3']);
  });

  test('may send again', async () => {
    const { client, server } = await connect(pair);
    const received = [];
    const finished = new Promise((resolve) => {
      server.on('message', (data) => {
        received.push(Number(data));
        if (received.length === 50) resolve();
      });
    });
    let count = 0;
    const next = () => {
      if (count < 50) client.send(count++, next);
    };

    next();
    await finished;
    expect(received).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test('waits until the bytes have left the process', async () => {
    const { client, server } = await connect(pair);
    let called = false;

    server.pause();
    fill(client);
    client.send('last', () => (called = true));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(called).toBe(false);
    server.on('message', () => {});
    server.resume();
    while (!called) await new Promise(setImmediate);
    expect(client.bufferedAmount).toBe(0);
  });

  test('does not wait for what is sent behind', async () => {
    const { client, server } = await connect(pair);
    const order = [];
    let last;

    server.pause();
    fill(client);
    for (let index = 0; index < 3; index++) {
      client.send('x', () => order.push(index));
    }

    const finished = new Promise((resolve) => {
      // Never less than 8 MiB wait.
      const next = () => {
        if (last) return;

        client.send(Buffer.alloc(1 << 20), next);
      };

      for (let count = 0; count < 8; count++) next();
      client.send('last', () => {
        last = client.bufferedAmount;
        resolve();
      });
    });

    server.on('message', () => {});
    server.resume();
    await finished;
    expect(order).toEqual([0, 1, 2]);
    expect(last).toBeGreaterThan(1 << 20);
  });

  test('lets a peer live that pings while it reads a backlog', async () => {
    const { client, server } = await connect(pair);
    let sent = 0;
    let pongs = 0;
    let called = 0;

    server.on('message', () => {});
    server.on('close', (code) => (called = `closed ${code}`));
    client.on('pong', () => pongs++);
    // Each pong of the server is behind a backlog that never ends.
    const feed = setInterval(() => {
      while (server.bufferedAmount < 1 << 18) {
        sent++;
        server.send(Buffer.alloc(1 << 16), () => called++);
      }
    }, 1);

    for (let count = 0; count < 70; count++) {
      client.ping();
      await once(client, 'pong');
    }
    clearInterval(feed);
    expect(pongs).toBe(70);
    expect(called).toBeGreaterThan(0);
    expect(called).toBeLessThanOrEqual(sent);
  });

  test('gets an error when the connection goes first', async () => {
    const { client, server } = await connect(pair);
    const results = [];

    server.pause();
    fill(client);
    for (const name of ['first', 'second']) {
      client.send(Buffer.alloc(10), (err) => {
        results.push([name, Boolean(err)]);
      });
    }
    client.terminate();
    await once(client, 'close');
    await new Promise(setImmediate);
    expect(results).toEqual([
      ['first', true],
      ['second', true]
    ]);
  });

  test.each([
    ['terminate()', (websocket) => websocket.terminate()],
    ['_socket.destroy()', (websocket) => websocket._socket.destroy()]
  ])('gets no error if it left before %s', async (_, destroy) => {
    for (const side of ['client', 'server']) {
      const { client, server } = await connect(pair);
      const [websocket, peer] =
        side === 'client' ? [client, server] : [server, client];
      const received = once(peer, 'message');
      const results = [];

      websocket.send('x', (err) => results.push(err ?? null));
      // Before the next tick, in which callbacks are called.
      await Promise.resolve();
      destroy(websocket);
      await once(websocket, 'close');
      expect(results).toEqual([null]);
      expect(String((await received)[0])).toBe('x');
    }
  });

  test('gets an error after terminate()', async () => {
    const { client } = await connect(pair);

    client.terminate();

    const err = await new Promise((resolve) => client.send('x', resolve));

    expect(err.message).toBe('WebSocket is not open: readyState 2 (CLOSING)');
    expect(err).toBeInstanceOf(Error);
  });
});

// The I/O thread writes what is sent in the tick of an opening when that has ended.
const rowsOfEventLoop = routedPairs.filter(isReadHere);

describeEach(rowsOfEventLoop, 'the callback of a first send()', (pair) => {
  test('runs before immediates', async () => {
    const { WebSocket, WebSocketServer, route } = pair;
    const { wss, url } = await listen({ WebSocketServer, route });
    const orders = [];
    const sendIn = (websocket) => {
      const order = [];

      orders.push(order);
      websocket.send('x', () => order.push('callback'));

      return new Promise((resolve) => {
        setImmediate(() => {
          order.push('immediate');
          setImmediate(resolve);
        });
      });
    };
    const accepted = once(wss, 'connection').then(([server]) => sendIn(server));
    const client = dial({ WebSocket, route }, url);

    await once(client, 'open').then(() => sendIn(client));
    await accepted;
    expect(orders).toEqual(Array(2).fill(['callback', 'immediate']));
  });
});

describeEach(pairs, 'callbacks that wait', (pair) => {
  const threshold = { perMessageDeflate: { threshold: 0 } };

  test('for compression fail in order when the socket goes', async () => {
    const { client } = await connect(pair, {
      server: threshold,
      client: threshold
    });
    const results = [];
    const note = (name) => (err) =>
      results.push([name, err.message, client.readyState]);
    const message = 'The socket was closed while data was being compressed';

    client.send('a', note('first'));
    client.send('b', note('second'));
    client.ping('c', undefined, note('third'));
    client.terminate();
    await once(client, 'close');
    expect(results).toEqual([
      ['first', message, 2],
      ['second', message, 2],
      ['third', message, 2]
    ]);
  });

  test('for a Blob fail in order when the socket goes', async () => {
    const { client } = await connect(pair);
    const results = [];
    const note = (name) => (err) => results.push([name, err.message]);
    const message = 'The socket was closed while the blob was being read';

    client.send(new Blob(['a']), note('first'));
    client.send('b', note('second'));
    client.send(new Blob(['c']), note('third'));
    client.terminate();
    await once(client, 'close');
    await new Promise(setImmediate);
    expect(results).toEqual([
      ['first', message],
      ['second', message],
      ['third', message]
    ]);
  });
});
