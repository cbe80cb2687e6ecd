'use strict';

const { once } = require('events');
const { Duplex } = require('stream');

const { runInChild } = require('../support/child');
const { connect, dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  oxws,
  routedPairs
} = require('../support/implementations');
const { trackServer, trackSocket } = require('../support/resources');
const { routes } = require('../support/routes');

const lengths = [1, 16, 100, 128, 129, 1000, 1024, 1025, 9000, 20_000];

/** Resolves the next messages of a WebSocket. */
function nextMessages(websocket, count) {
  const messages = [];

  return new Promise((resolve) => {
    websocket.on('message', function note(data) {
      if (messages.push(data) < count) return;

      websocket.removeListener('message', note);
      resolve(messages);
    });
  });
}

/** What the server receives of clients that take turns, by client. */
async function receivedOf(pair, names) {
  const { wss, url } = await listen(pair);
  const received = {};
  const ends = [];

  wss.on('connection', (websocket, request) => {
    const mine = (received[request.url.slice(1)] = []);

    for (const event of ['message', 'ping', 'pong']) {
      websocket.on(event, (data) => mine.push(data));
    }
    ends.push(once(websocket, 'close').then(([, reason]) => mine.push(reason)));
    websocket.on('message', () => websocket.send('.'));
  });

  const clients = [];

  for (const name of names) {
    const client = dial(pair, url + name);

    await once(client, 'open');
    clients.push([name, client]);
  }
  for (const length of lengths) {
    for (const [name, client] of clients) {
      if (length < 126) client.ping(name.repeat(length));
      if (length < 126) client.pong(name.repeat(length));
      client.send(name.repeat(length));
      client.send(Buffer.from(name.repeat(length)), { binary: true });
      await nextMessages(client, 2);
    }
  }
  for (const [name, client] of clients) client.close(1000, name.repeat(20));
  await Promise.all(ends);
  return received;
}

/** Whether Node, as from version 26 on, puts what TLS brings of all connections in one place. */
async function sharesMemoryOfTls() {
  const { createServer, connect } = routes.TLS;
  const server = trackServer(createServer()).listen(0, '127.0.0.1');

  await once(server, 'listening');

  const buffers = [];

  for (let count = 0; count < 2; count++) {
    const connected = once(server, 'secureConnection');
    const client = trackSocket(connect(server.address().port));

    client.on('error', () => {});

    const [socket] = await connected;
    const chunk = once(socket, 'data');

    client.write('text');
    buffers.push((await chunk)[0].buffer);
  }
  return buffers[0] === buffers[1];
}

/** Whether the messages of these lie in the chunks that Node has read: those of ws. */
const liesInChunks = ({ route, WebSocketServer }) =>
  route === 'TLS' && WebSocketServer !== oxws.WebSocketServer;

describeEach(routedPairs, 'the memory of what is received', (pair) => {
  /** It is that of other connections, too. */
  const isShared = async () =>
    liesInChunks(pair) && (await sharesMemoryOfTls());

  test('has nothing of other connections, unless Node brings it there', async () => {
    const names = ['a', 'b', 'c'];
    const received = await receivedOf(pair, names);
    let hasOthers = false;

    for (const name of names) {
      const others = names.filter((other) => other !== name);

      expect(received[name]).toHaveLength(
        2 * lengths.length + 2 * lengths.filter((n) => n < 126).length + 1
      );
      for (const data of received[name]) {
        const all = Buffer.from(data.buffer);

        expect(`${data}`).toBe(name.repeat(data.length));
        // A frame's header may have any byte.
        for (const other of others) {
          if (all.includes(other.repeat(4))) hasOthers = true;
        }
      }
    }
    // Before version 26 Node shares it with nobody, but does not clear it.
    if (!liesInChunks(pair)) expect(hasOthers).toBe(false);
  });

  test('can be transferred, and more is received', async () => {
    const { client, server } = await connect(pair);
    const mustCopy = await isShared();
    const { port1 } = new MessageChannel();

    for (const text of ['one', 'two', 'three', 'x'.repeat(500)]) {
      client.send(text);

      const [data] = await once(server, 'message');

      expect(`${data}`).toBe(text);

      const { buffer } = mustCopy ? Uint8Array.from(data) : data;

      port1.postMessage(null, [buffer]);
      expect(buffer.byteLength).toBe(0);
      expect(data).toHaveLength(mustCopy ? text.length : 0);
    }
    port1.close();
  });
});

describe.each(['0', '1'])('with OXWS_ADOPT=%s', (adopt) => {
  test('a message whose memory was transferred is an uncaught exception, and no more', async () => {
    const { stdout, stderr } = await runInChild(
      'oxws',
      (WebSocket) => {
        const server = require('http').createServer();
        const wss = new WebSocket.Server({ server });
        const { port1 } = new MessageChannel();

        let client;

        process.on('uncaughtException', ({ name }) => {
          console.log(name);
          client.send('three');
        });
        wss.on('connection', (websocket) => {
          websocket.on('message', (data) => {
            console.log(`${data}`);
            if (`${data}` === 'one') port1.postMessage(null, [data.buffer]);
            if (`${data}` === 'three') websocket.send('next');
          });
          websocket.on('close', (code) => {
            console.log(code);
            process.exit();
          });
        });
        server.listen(0, '127.0.0.1', () => {
          client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
          const frame = (text) =>
            Buffer.from([
              0x81,
              0x80 | text.length,
              0,
              0,
              0,
              0,
              ...Buffer.from(text)
            ]);

          client.on('open', () =>
            client._socket.write(Buffer.concat([frame('one'), frame('two')]))
          );
          client.on('message', () => client.close(4000));
        });
      },
      { env: { OXWS_ADOPT: adopt } }
    );

    expect({ stdout, stderr }).toEqual({
      stdout: 'one\nTypeError\nthree\n4000\n',
      stderr: ''
    });
  });
});

test('a message of a stream shares none with what lies beside its chunk', async () => {
  const wss = new oxws.WebSocketServer({ noServer: true });
  const stream = new Duplex({ read() {}, write: (chunk, _, done) => done() });
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13'
  };
  const request = { method: 'GET', url: '/', headers, socket: stream };
  const frame = [0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('Hello')];
  const pool = Buffer.from([...Buffer.from('others'), ...frame]);
  const messages = [];

  wss.handleUpgrade(request, stream, Buffer.alloc(0), (websocket) =>
    websocket.on('message', (data) => messages.push(data))
  );
  stream.push(new Uint8Array(pool).subarray(6));
  await new Promise(setImmediate);
  expect(String(messages)).toBe('Hello');
  expect(Buffer.from(messages[0].buffer).includes('others')).toBe(false);
  stream.destroy();
  await once(stream, 'close');
});

describeEach(implementations.slice(1), 'the memory of a message', ({ lib }) => {
  test.each([
    [1, 1024],
    [128, 1024],
    [1024, 4096],
    [1025, 16_384],
    [16_384, 16_384],
    [20_000, 20_000]
  ])('of %i bytes is %i at most', async (length, most) => {
    const { client, server } = await connect(lib);
    const data = Buffer.alloc(length);

    for (let i = 0; i < 50; i++) client.send(data);
    for (const message of await nextMessages(server, 50)) {
      expect(message).toHaveLength(length);
      expect(message.buffer.byteLength).toBeLessThanOrEqual(most);
    }
  });

  test('that is kept for each of many connections is little', async () => {
    const { wss, url } = await listen(lib);
    const buffers = new Set();

    wss.on('connection', (websocket) => {
      websocket.on('message', (data) => {
        buffers.add(data.buffer);
        websocket.send('.');
      });
    });

    // More than have slabs of their own at a time.
    for (let i = 0; i < 600; i++) {
      const client = dial(lib, url);

      await once(client, 'open');
      client.send('twenty bytes of text');
      await once(client, 'message');
    }

    let bytes = 0;

    for (const buffer of buffers) bytes += buffer.byteLength;
    expect(buffers.size).toBe(600);
    expect(bytes).toBeLessThanOrEqual(600 * 1024);
  });
});
