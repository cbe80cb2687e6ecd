'use strict';

// Ahead of what closes the resources of a test.
afterEach(() => {
  jest.useRealTimers();
});

const { once } = require('events');
const timers = require('timers');

const {
  connect,
  dialRaw,
  dial,
  listen,
  serveRaw
} = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { rawServer } = require('../support/raw');
const { OPCODE, frame } = require('../support/wire');

/** Waits, in real turns of the event loop, until a socket has read so much. */
async function untilRead(socket, bytes) {
  while (socket.bytesRead < bytes) await new Promise(timers.setImmediate);
}

const kinds = [
  ['modern', {}],
  ['legacy', { legacyFakeTimers: true }]
];

describeEach(routedPairs, 'faked timers', (pair) => {
  test.each(kinds)('do not hold up a conversation (%s)', async (_, options) => {
    const { client, server } = await connect(pair);
    const received = [];
    const sent = jest.fn();

    jest.useFakeTimers(options);
    server.on('message', (data) => {
      received.push(String(data));
      server.send(data);
    });
    client.send('one', sent);
    client.send('two', sent);
    await new Promise((resolve) => client.send('three', resolve));
    expect(sent.mock.calls.map(([err]) => err ?? null)).toEqual([null, null]);

    const pong = once(client, 'pong');

    client.ping('four');
    expect(String(await pong)).toBe('four');
    expect(received).toEqual(['one', 'two', 'three']);

    const closed = [once(client, 'close'), once(server, 'close')];

    client.close(4000, 'five');
    for (const [code, reason] of await Promise.all(closed)) {
      expect([code, String(reason)]).toEqual([4000, 'five']);
    }
  });

  test.each(kinds)('do not hold up bufferedAmount (%s)', async (_, options) => {
    const deflate = { perMessageDeflate: { threshold: 0 } };
    const { client, server } = await connect(pair, {
      server: deflate,
      client: deflate
    });

    jest.useFakeTimers(options);
    for (const from of [client, server]) {
      const written = new Promise((resolve) => from.send('hello', resolve));

      expect(from.bufferedAmount).toBe(5);
      await written;
      expect(from.bufferedAmount).toBe(0);
    }
  });

  test.each(kinds)(
    'do not hold up a new connection (%s)',
    async (_, options) => {
      jest.useFakeTimers(options);

      const { client, server } = await connect(pair);
      const messages = [once(client, 'message'), once(server, 'message')];

      client.send('to the server');
      client.send('behind it');
      server.send('to the client');
      expect(
        (await Promise.all(messages)).map(([data]) => String(data))
      ).toEqual(['to the client', 'to the server']);

      const closed = once(server, 'close');

      client.terminate();
      expect((await closed)[0]).toBe(1006);
    }
  );

  test.each(kinds)(
    'do not hold up what was paused (%s)',
    async (_, options) => {
      const { client, server } = await connect(pair);
      const message = once(client, 'message');
      const { bytesRead } = client._socket;

      jest.useFakeTimers(options);
      client.pause();
      server.send('x');
      if (pair.route !== 'TLS') await untilRead(client._socket, bytesRead + 3);
      client.resume();
      expect(String((await message)[0])).toBe('x');
    }
  );

  test.each(kinds)(
    'do not hold up the end of a socket (%s)',
    async (_, options) => {
      const { client, server } = await connect(pair);
      const closed = [client, server, client._socket, server._socket].map(
        (emitter) => once(emitter, 'close')
      );

      jest.useFakeTimers(options);
      server._socket.end();
      await Promise.all(closed);
    }
  );
});

describeEach(routedImplementations, 'faked timers', (row) => {
  test.each(kinds)('do not hold up an error (%s)', async (_, options) => {
    const { websocket, peer } = await serveRaw(row);
    const error = once(websocket, 'error');

    jest.useFakeTimers(options);
    peer.write([0xf1, 0x80, 0, 0, 0, 0]);
    expect((await error)[0].code).toBe('WS_ERR_UNEXPECTED_RSV_2_3');
  });

  test('make a closing handshake expire', async () => {
    const { websocket, peer } = await serveRaw(row);
    const closed = once(websocket, 'close');

    jest.useFakeTimers();
    websocket.close(1000);
    await peer.frame();
    jest.advanceTimersByTime(29_999);
    expect(websocket._socket.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    expect(websocket._socket.destroyed).toBe(true);
    expect((await closed)[0]).toBe(1006);
  });

  test('have events wait that are not to be synchronous', async () => {
    const { websocket, peer } = await dialRaw(row, {
      allowSynchronousEvents: false
    });
    const received = [];

    jest.useFakeTimers();
    websocket.on('message', (data) => received.push(String(data)));
    peer.write(
      frame({ opcode: OPCODE.text, payload: 'one' }),
      frame({ opcode: OPCODE.text, payload: 'two' })
    );
    while (jest.getTimerCount() === 0) await new Promise(timers.setImmediate);
    expect(received).toEqual([]);
    jest.advanceTimersToNextTimer();
    expect(received).toEqual(['one']);
    await new Promise(timers.setImmediate);
    expect(received).toEqual(['one']);
    jest.advanceTimersToNextTimer();
    expect(received).toEqual(['one', 'two']);
  });
});

describeEach(implementations, 'faked timers', ({ lib }) => {
  test('do not hold up the end of an opening handshake', async () => {
    const { url } = await rawServer(() => {});

    jest.useFakeTimers({ doNotFake: ['nextTick'] });

    const client = dial(lib, url, [], { handshakeTimeout: 20 });
    const [err] = await once(client, 'error');

    expect(err.message).toBe('Opening handshake has timed out');
  });

  test.each([
    ['ends at once', () => '', 'socket hang up'],
    [
      'makes a mistake',
      () =>
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n' +
        'Upgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n',
      'Invalid Sec-WebSocket-Accept header'
    ]
  ])(
    'do not hold up the error of a server that %s',
    async (_, answer, text) => {
      const { url } = await rawServer((peer) => peer.socket.end(answer()));

      jest.useFakeTimers();

      const client = dial(lib, url);
      const closed = new Promise((resolve) => client.on('close', resolve));
      const [err] = await once(client, 'error');

      expect(err.message).toBe(text);
      await closed;
    }
  );

  test('do not hold up a server that begins or ends', async () => {
    jest.useFakeTimers();

    const { wss, port } = await listen(lib);
    const taken = new lib.WebSocketServer({ port, host: '127.0.0.1' });

    expect((await once(taken, 'error'))[0].code).toBe('EADDRINUSE');

    const closed = once(wss, 'close');

    wss.close();
    await closed;
  });
});

describeEach(
  [
    { name: 'ws', id: 'ws' },
    { name: 'oxws', id: '../..' }
  ],
  'timers that were faked when it was loaded',
  ({ id }) => {
    test.each(kinds)('do not hold it up (%s)', async (_, options) => {
      let lib;

      jest.useFakeTimers(options);
      jest.isolateModules(() => (lib = require(id)));

      const { client, server, wss } = await connect(lib);
      const received = [];
      const all = new Promise((resolve) => {
        server.on('message', (data) => {
          if (received.push(String(data)) === 3) resolve();
        });
      });

      for (const text of ['one', 'two', 'three']) client.send(text);
      await all;
      expect(received).toEqual(['one', 'two', 'three']);

      const closed = [once(client, 'close'), once(wss, 'close')];

      server.close(1000);
      wss.close();
      await Promise.all(closed);
    });
  }
);
