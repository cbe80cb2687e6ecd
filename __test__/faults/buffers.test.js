'use strict';

const { once } = require('events');
const { MessageChannel } = require('worker_threads');

const { serveRaw } = require('../support/connection');
const {
  canAdopt,
  describeEach,
  implementations,
  routedImplementations
} = require('../support/implementations');
const { dial, listen } = require('../support/connection');
const { onRelease } = require('../support/resources');
const { frame, KEY, OPCODE } = require('../support/wire');

/** Enough for a connection whose peer does not read. */
const FULL = 8 << 20;
const SIZE = 100000;

function detach({ buffer }) {
  const { port1, port2 } = new MessageChannel();

  port1.postMessage(buffer, [buffer]);
  port1.close();
  port2.close();
  expect(buffer.byteLength).toBe(0);
}

/** Ways to take the bytes away, or to change them, right after send(). */
const changes = [
  ['overwritten', (bytes) => bytes.fill(121), undefined],
  ['transferred', detach, undefined],
  [
    'resized to nothing',
    (bytes) => {
      bytes.buffer.resize(0);
      expect(bytes).toHaveLength(0);
    },
    { maxByteLength: SIZE }
  ]
];

/** Where the engine has the bytes; Node's sockets have no copy of them. */
const safe = routedImplementations.filter(
  ({ name }) => canAdopt && ['oxws, native', 'oxws, adopted'].includes(name)
);

describeEach(safe, 'bytes', (row) => {
  test.each(changes)(
    'that are %s after send() arrive as they were',
    async (_, change, memory) => {
      const { websocket, peer } = await serveRaw(row);
      const sent = [];

      peer.socket.pause();
      websocket.send(Buffer.alloc(FULL));
      expect(websocket.bufferedAmount).toBeGreaterThan(0);
      for (const options of [{}, { binary: false }, { fin: false }, {}]) {
        const bytes = new Uint8Array(new ArrayBuffer(SIZE, memory)).fill(120);

        sent.push(bytes);
        websocket.send(bytes, options);
      }
      for (const bytes of sent) change(bytes);
      peer.socket.resume();
      expect((await peer.frame()).payload).toHaveLength(FULL);
      for (let index = 0; index < sent.length; index++) {
        const { payload } = await peer.frame();

        expect(payload.equals(Buffer.alloc(SIZE, 'x'))).toBe(true);
      }
    }
  );
});

describeEach(routedImplementations, 'bytes without memory', (row) => {
  test('are empty messages', async () => {
    const { websocket, peer } = await serveRaw(row);
    const detached = Buffer.from(new ArrayBuffer(10));
    const shrunk = Buffer.from(new ArrayBuffer(10, { maxByteLength: 10 }));

    detach(detached);
    shrunk.buffer.resize(0);
    for (const bytes of [detached, shrunk]) websocket.send(bytes);
    websocket.ping(detached);
    for (const opcode of [OPCODE.binary, OPCODE.binary, OPCODE.ping]) {
      expect(await peer.frame()).toMatchObject({
        opcode,
        payload: Buffer.alloc(0)
      });
    }
  });

  test('that grow are sent as long as they are', async () => {
    const { websocket, peer } = await serveRaw(row);
    const memory = new ArrayBuffer(2, { maxByteLength: 10 });
    const bytes = new Uint8Array(memory);

    memory.resize(4);
    websocket.send(bytes);
    expect((await peer.frame()).payload).toHaveLength(4);
  });

  test('of a shared memory are sent', async () => {
    const { websocket, peer } = await serveRaw(row);

    websocket.send(new Uint8Array(new SharedArrayBuffer(3)).fill(1));
    expect((await peer.frame()).payload).toEqual(Buffer.from([1, 1, 1]));
  });
});

describeEach(implementations, 'a received message', ({ lib }) => {
  test('that is transferred takes none of another connection along', async () => {
    const { wss, url } = await listen(lib);
    const { port1, port2 } = new MessageChannel();
    const kept = [];
    const clients = ['/taken', '/kept'].map((path) =>
      dial(lib, new URL(path, url), [], { perMessageDeflate: false })
    );
    const text = (index) => `${index} `.repeat((index % 50) * 40 + 1);

    onRelease(() => {
      port1.close();
      port2.close();
    });
    wss.on('connection', (server, request) => {
      server.on('message', (data) => {
        if (request.url === '/kept') kept.push(data);
        else port1.postMessage(null, [data.buffer]);
        server.send('next');
      });
    });
    await Promise.all(clients.map((client) => once(client, 'open')));

    for (let index = 0; index < 100; index++) {
      for (const client of clients) {
        client.send(text(index));
        await once(client, 'message');
      }
    }

    expect(kept).toHaveLength(100);
    for (const [index, data] of kept.entries()) {
      expect(String(data)).toBe(text(index));
    }
  });

  test('is the user’s to change, whatever comes next', async () => {
    const { websocket, peer } = await serveRaw({ lib, route: 'native' });
    const kept = [];
    const received = new Promise((resolve) => {
      websocket.on('message', (data) => {
        if (kept.push(data.fill(kept.length)) === 100) resolve();
      });
    });

    for (let index = 0; index < 100; index++) {
      peer.write(
        frame({ opcode: OPCODE.binary, payload: Buffer.alloc(33), key: KEY })
      );
    }
    await received;
    for (const [index, data] of kept.entries()) {
      expect(data).toEqual(Buffer.alloc(33, index));
    }
  });
});
