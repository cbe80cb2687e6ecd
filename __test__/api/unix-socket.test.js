'use strict';

const { once } = require('events');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');

const { dial } = require('../support/connection');
const { describeEach, pairs } = require('../support/implementations');
const {
  onRelease,
  trackServer,
  trackSocket,
  trackWebSocketServer
} = require('../support/resources');

/** What the address of a socket has room for, on Linux; from Node.js 23 on it cuts no path off. */
const ROOM = 108;
const refusesLongPaths = parseInt(process.versions.node, 10) >= 23;

/** What is told of an error of the system; null if this event comes instead. */
function failureOf(emitter, event) {
  return new Promise((resolve) => {
    emitter.on('error', ({ code, syscall, address, message }) =>
      resolve({ code, syscall, address, message })
    );
    if (event) emitter.on(event, () => resolve(null));
  });
}

describeEach(pairs, 'a socket of the file system', (pair) => {
  /** A server that echoes, on a new path. */
  async function serve() {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
    const socketPath = path.join(directory, 'socket');

    onRelease(() => fs.rmSync(directory, { recursive: true, force: true }));

    const server = trackServer(http.createServer());
    const wss = trackWebSocketServer(new pair.WebSocketServer({ server }));

    wss.on('connection', (websocket, request) => {
      websocket.send(request.url);
      websocket.on('message', (data) => websocket.send(data));
    });
    server.listen(socketPath);
    await once(server, 'listening');
    return { wss, socketPath };
  }

  test('carries a conversation', async () => {
    const { wss, socketPath } = await serve();
    const client = dial(pair, `ws+unix:${socketPath}:/chat?room=1`);

    expect(wss.address()).toBe(socketPath);
    expect(String((await once(client, 'message'))[0])).toBe('/chat?room=1');

    const large = Buffer.alloc(1 << 20, 'abc');

    client.send(large);
    expect((await once(client, 'message'))[0].equals(large)).toBe(true);
    client.close(1000);
    expect((await once(client, 'close'))[0]).toBe(1000);
  });

  // Where the address of a socket ends, Node cuts a path off, or refuses it.
  test.each([
    [`/nowhere/${'x'.repeat(90)}`],
    [`/nowhere/${'x'.repeat(99)}`],
    [`/nowhere/${'x'.repeat(100)}`],
    [`/nowhere/${'x'.repeat(5000)}`],
    ['nowhere.sock'],
    ['/%00']
  ])('that is not there may have any name', async (socketPath) => {
    const failure = await failureOf(dial(pair, `ws+unix:${socketPath}:/`));
    const code =
      refusesLongPaths && socketPath.length > ROOM ? 'EINVAL' : 'ENOENT';

    expect(failure).toMatchObject({
      code,
      syscall: 'connect',
      address: socketPath
    });
    expect(failure).toEqual(await failureOf(net.connect(socketPath)));
  });

  test('may have a path that is longer than an address if Node takes it', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
    const server = trackServer(http.createServer());
    const wss = new pair.WebSocketServer({ server });
    const socketPath = path.join(directory, 'x'.repeat(200));

    onRelease(() => fs.rmSync(directory, { recursive: true, force: true }));
    server.listen(socketPath);
    expect(await failureOf(wss, 'listening')).toEqual(
      refusesLongPaths
        ? {
            code: 'EINVAL',
            syscall: 'listen',
            address: socketPath,
            message: `listen EINVAL: invalid argument ${socketPath}`
          }
        : null
    );

    const failure = await failureOf(
      dial(pair, `ws+unix:${socketPath}:/`),
      'open'
    );
    const socket = trackSocket(net.connect(socketPath));

    expect(failure).toEqual(await failureOf(socket, 'connect'));
    expect(failure?.code).toBe(refusesLongPaths ? 'EINVAL' : undefined);
  });

  test('without a name is the host of this name', async () => {
    const client = dial(pair, 'ws+unix::/', [], { handshakeTimeout: 60000 });
    const { err } = await new Promise((resolve) => {
      client.on('error', (err) => resolve({ err }));
      client.on('open', () => resolve({}));
    });

    // Who listens there is not known.
    if (err?.code === 'ECONNREFUSED') {
      expect(['127.0.0.1', '::1', undefined]).toContain(err.address);
    }
    expect(err?.code).not.toBe('ENOENT');
  });

  test('that is not there is an error of Node', async () => {
    const { socketPath } = await serve();
    const client = dial(pair, `ws+unix:${socketPath}x`);
    const [err] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    expect([err.code, err.syscall, err.address, err.message]).toEqual([
      'ENOENT',
      'connect',
      `${socketPath}x`,
      `connect ENOENT ${socketPath}x`
    ]);
  });

  test.each(['x'.repeat(104), 'x'.repeat(120), 'x'.repeat(300)])(
    'is not there if its path is too long (%s)',
    async (name) => {
      const [err] = await once(
        dial(pair, `ws+unix:${os.tmpdir()}/${name}:/`),
        'error'
      );

      // Of Node's making: which one depends on its version.
      const [expected] = await once(
        net.connect(`${os.tmpdir()}/${name}`),
        'error'
      );

      expect([err.code, err.message]).toEqual([
        expected.code,
        expected.message
      ]);
    }
  );
});
