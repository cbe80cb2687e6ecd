'use strict';

const { EventEmitter, once } = require('events');
const { Duplex, Readable, Writable } = require('stream');
const { pipeline } = require('stream/promises');

const { connect, dial, listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  oxws,
  pairs,
  routedPairs,
  ws
} = require('../support/implementations');
const { frame, KEY, OPCODE } = require('../support/wire');

/** The function of the library that made this WebSocket. */
function streamOf(websocket, options) {
  const lib = websocket instanceof ws ? ws : oxws;

  return lib.createWebSocketStream(websocket, options);
}

/** Settles with 'close', whatever error comes before. */
function closing(stream) {
  return new Promise((resolve) => stream.on('close', resolve));
}

/** All that a stream gives, as one Buffer. */
async function readAll(stream) {
  const chunks = [];

  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describeEach(routedPairs, 'createWebSocketStream()', (pair) => {
  test('carries bytes both ways and ends with close frames', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client);
    const far = streamOf(server);
    const codes = Promise.all([once(client, 'close'), once(server, 'close')]);
    const data = Buffer.alloc(3 << 20, 'abcdefg');

    far.pipe(far);
    near.end(data);
    expect((await readAll(near)).equals(data)).toBe(true);
    expect((await codes).map(([code]) => code)).toEqual([1005, 1005]);
    expect(near.destroyed).toBe(true);
  });

  test('obeys back-pressure', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client, { highWaterMark: 16 });
    const chunks = [];
    const count = 200;

    for (let index = 0; index < count; index++) server.send(`${index},`);
    server.close();
    await pipeline(
      near,
      new Writable({
        highWaterMark: 1,
        write(chunk, encoding, callback) {
          chunks.push(String(chunk));
          setImmediate(callback);
        }
      })
    );
    expect(chunks.join('')).toBe(
      Array.from({ length: count }, (_, index) => `${index},`).join('')
    );
  });

  test('writes what is written before the connection is open', async () => {
    const { wss, url } = await listen(pair);
    const received = new Promise((resolve) => {
      wss.on('connection', (server) => {
        const messages = [];

        server.on('message', (data) => messages.push(String(data)));
        server.on('close', () => resolve(messages));
      });
    });
    const near = streamOf(dial(pair, url));

    near.write('early');
    near.end('last');
    near.resume();
    expect(await received).toEqual(['early', 'last']);
  });

  test('destroy() terminates the connection', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client);
    const events = [];
    const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
    const finished = closing(near);

    near.on('error', (err) => events.push(err.message));
    near.on('close', () => events.push('close'));
    near.destroy(new Error('enough'));
    expect((await closed).map(([code]) => code)).toEqual([1006, 1006]);
    await finished;
    expect(events).toEqual(['enough', 'close']);
  });
});

describeEach(pairs, 'the readable side', (pair) => {
  test('gives a chunk a message, text and binary', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client, { readableObjectMode: true });
    const chunks = [];

    near.on('data', (chunk) => chunks.push(chunk));
    server.send('text');
    server.send(Buffer.from('bytes'));
    server.send('');
    server.close();
    await once(near, 'end');
    expect(chunks).toEqual(['text', Buffer.from('bytes'), '']);
  });

  test('gives text as bytes without readableObjectMode', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client, { objectMode: true, encoding: 'utf8' });
    const chunks = [];

    near.on('data', (chunk) => chunks.push(chunk));
    server.send('h\u00e9');
    server.close();
    await once(near, 'end');
    expect(chunks).toEqual(['h\u00e9']);
    expect(near.readableObjectMode).toBe(false);
    expect(near.writableObjectMode).toBe(false);
  });

  test('pauses the WebSocket when it is full', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client, { readableHighWaterMark: 4 });

    server.send('12345');
    while (!client.isPaused) await new Promise(setImmediate);
    expect(near.readableLength).toBe(5);
    near.resume();
    while (client.isPaused) await new Promise(setImmediate);
    server.send('6');
    server.close();
    expect(String(await readAll(near))).toBe('6');
  });

  test('ends when the other side closes', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client);
    const events = [];

    for (const name of ['end', 'finish', 'close', 'error']) {
      near.on(name, () => events.push(name));
    }
    near.on('end', () => near.end());
    near.resume();
    server.close(1000);
    await closing(near);
    expect(events).toEqual(['end', 'finish', 'close']);
  });
});

describeEach(pairs, 'the writable side', (pair) => {
  test('sends a message a write', async () => {
    const { client, server } = await connect(pair);
    const far = streamOf(server);
    const received = [];

    client.on('message', (data, isBinary) => {
      received.push([String(data), isBinary]);
    });
    far.write('text');
    far.write(Buffer.from('bytes'));
    far.resume();
    far.end();
    await once(client, 'close');
    expect(received).toEqual([
      ['text', true],
      ['bytes', true]
    ]);
  });

  test('keeps strings with decodeStrings: false', async () => {
    const { client, server } = await connect(pair);
    const far = streamOf(server, { decodeStrings: false });

    far.end('text');
    far.resume();

    const [data, isBinary] = await once(client, 'message');

    expect([String(data), isBinary]).toEqual(['text', false]);
    await once(client, 'close');
  });

  test("'finish' waits for the socket", async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client);
    const order = [];

    server.on('message', () => order.push('received'));
    near.on('finish', () => order.push('finish'));
    near.end('x');
    near.resume();
    await once(near, 'finish');
    expect(client.readyState).toBeGreaterThan(1);
    await once(near, 'close');
    expect(order.sort()).toEqual(['finish', 'received']);
  });

  test('fails when the connection has gone', async () => {
    const { client, server } = await connect(pair);
    const near = streamOf(client);

    near.resume();
    server.terminate();
    await once(client, 'close');

    const err = await new Promise((resolve) => {
      near.on('error', () => {});
      near.write('x', resolve);
    });

    expect(err).toBeTruthy();
  });
});

describeEach(implementations, 'the stream', ({ lib }) => {
  test('is a Duplex with the options that are fixed', () => {
    const stream = lib.createWebSocketStream(
      dial({ WebSocket: lib }, 'ws://127.0.0.1:1'),
      { allowHalfOpen: false, autoDestroy: true, emitClose: true }
    );

    stream.on('error', () => {});
    expect(stream).toBeInstanceOf(Duplex);
    expect(stream.allowHalfOpen).toBe(false);
    expect(stream._readableState.autoDestroy).toBe(false);
    expect(stream._readableState.emitClose).toBe(false);
  });

  test('of a failed handshake is destroyed with the error', async () => {
    const client = dial({ WebSocket: lib }, 'ws://127.0.0.1:1');
    const stream = lib.createWebSocketStream(client);
    const events = [];

    stream.on('error', ({ code }) => events.push(code));
    stream.write('x');
    await closing(stream);
    expect(events).toEqual(['ECONNREFUSED']);
    expect(stream.destroyed).toBe(true);
  });

  test('of a protocol error is destroyed, the close frame is sent', async () => {
    const { websocket, peer } = await serveRaw({ lib });
    const stream = lib.createWebSocketStream(websocket);
    const failed = new Promise((resolve) => stream.on('error', resolve));
    const finished = closing(stream);

    stream.resume();
    peer.write(frame({ opcode: 3, key: KEY }));
    expect((await failed).code).toBe('WS_ERR_INVALID_OPCODE');
    expect((await peer.frame()).opcode).toBe(OPCODE.close);
    await finished;
  });

  test('accepts a plain EventEmitter', async () => {
    const emitter = new EventEmitter();
    const sent = [];

    Object.assign(emitter, {
      readyState: 1,
      OPEN: 1,
      CLOSED: 3,
      CONNECTING: 0,
      isPaused: false,
      pause() {},
      resume() {},
      send(data, callback) {
        sent.push(String(data));
        callback();
      },
      terminate() {
        emitter.readyState = 3;
        emitter.emit('close');
      }
    });

    const stream = lib.createWebSocketStream(emitter);

    stream.write('out');
    emitter.emit('message', Buffer.from('in'), true);
    expect(String((await once(stream, 'data'))[0])).toBe('in');
    expect(sent).toEqual(['out']);
    stream.destroy();
    await once(stream, 'close');
  });

  test('works with pipeline()', async () => {
    const pair = { WebSocketServer: lib.WebSocketServer, WebSocket: lib };
    const { client, server } = await connect(pair);
    const source = Readable.from(
      (function* () {
        for (let index = 0; index < 100; index++) yield Buffer.alloc(1000, 'z');
      })()
    );
    const far = lib.createWebSocketStream(server);
    const received = readAll(far);

    far.on('end', () => far.end());
    await pipeline(
      source,
      lib.createWebSocketStream(client),
      async (stream) => {
        for await (const chunk of stream) expect(chunk).toBe(undefined);
      }
    );
    expect((await received).length).toBe(100000);
  });
});
