'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { connect, dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedPairs
} = require('../support/implementations');
const { trackServer } = require('../support/resources');

/** Settles with the arguments of the callback. */
function closing(wss) {
  return new Promise((resolve) => wss.close((...args) => resolve(args)));
}

describeEach(implementations, 'close() of a server', ({ lib }) => {
  const { WebSocketServer } = lib;

  test('that listens calls back and emits once each', async () => {
    const { wss } = await listen(lib);
    const onClose = jest.fn();

    wss.on('close', onClose);
    expect(await closing(wss)).toEqual([]);
    expect(onClose.mock.calls).toEqual([[]]);
  });

  test('that does not listen yet works too', async () => {
    const wss = new WebSocketServer({ port: 0 });

    expect(await closing(wss)).toEqual([]);
  });

  test.each([
    ['noServer', () => ({ noServer: true })],
    ['an http.Server', () => ({ server: http.createServer() })],
    [
      'no tracking',
      () => ({ server: http.createServer(), clientTracking: false })
    ]
  ])('with %s emits in the next tick', async (_, options) => {
    const wss = new WebSocketServer(options());
    const order = [];

    wss.close(() => order.push('callback'));
    process.nextTick(() => order.push('next tick'));
    order.push('returned');
    await new Promise(setImmediate);
    expect(order).toEqual(['returned', 'callback', 'next tick']);
  });

  test('may be repeated while it is closing', async () => {
    const { wss } = await listen(lib);
    const onClose = jest.fn();
    const callbacks = [jest.fn(), jest.fn()];

    wss.on('close', onClose);
    wss.close(callbacks[0]);
    wss.close(callbacks[1]);
    wss.close();
    await once(wss, 'close');
    expect(onClose).toHaveBeenCalledTimes(1);
    expect(callbacks.map(({ mock }) => mock.calls)).toEqual([[[]], [[]]]);
  });

  test('after it is closed is an error of the callback', async () => {
    const { wss } = await listen(lib);

    await closing(wss);

    const onClose = jest.fn();

    wss.on('close', onClose);

    const [err] = await closing(wss);

    expect(err.message).toBe('The server is not running');
    expect(err).toBeInstanceOf(Error);
    expect(onClose).toHaveBeenCalledTimes(1);
    wss.close();
    await once(wss, 'close');
  });

  test('frees the port', async () => {
    const { wss, port } = await listen(lib);

    await closing(wss);

    const server = trackServer(net.createServer()).listen(port, '127.0.0.1');

    await once(server, 'listening');
  });
});

describeEach(routedPairs, 'a closing server', (pair) => {
  test('leaves connections open and waits for them', async () => {
    const { wss, client, server } = await connect(pair);
    const order = [];
    const closed = closing(wss).then(() => order.push('server closed'));

    server.on('message', (data) => server.send(data));
    client.send('still there');
    expect(String((await once(client, 'message'))[0])).toBe('still there');
    expect(wss.clients.size).toBe(1);
    order.push('closing the client');
    client.close();
    await closed;
    expect(order).toEqual(['closing the client', 'server closed']);
  });

  test('closes when all are terminated', async () => {
    const { wss, url } = await connect(pair);

    await once(dial(pair, url), 'open');

    const closed = closing(wss);

    expect(wss.clients.size).toBe(2);
    for (const server of wss.clients) server.terminate();
    await closed;
  });

  test('answers 503 to an upgrade it had already begun', async () => {
    let proceed;
    const asked = new Promise((resolve) => (proceed = resolve));
    const { wss, url } = await listen(pair, {
      verifyClient: (info, done) => proceed(done)
    });
    const client = dial(pair, url);
    const refused = new Promise((resolve) => client.on('error', resolve));
    const done = await asked;

    wss.close();
    done(true);
    expect((await refused).message).toBe('Unexpected server response: 503');
  });
});

describeEach(routedPairs, 'clients', (pair) => {
  test('hold the connections from their first to their last event', async () => {
    const { wss, url } = await listen(pair);
    const sizes = [];

    wss.on('connection', (server) => {
      sizes.push(['connection', wss.clients.size]);
      server.on('message', () => {
        sizes.push(['message', wss.clients.has(server)]);
      });
      server.on('close', () => sizes.push(['close', wss.clients.size]));
    });

    const client = dial(pair, url);

    client.on('open', () => {
      sizes.push(['open', wss.clients.size]);
      client.send('x');
      client.close();
    });
    await once(client, 'close');
    while (wss.clients.size > 0) await new Promise(setImmediate);
    expect(sizes).toEqual([
      ['connection', 1],
      ['open', 1],
      ['message', true],
      ['close', 0]
    ]);
  });
});
