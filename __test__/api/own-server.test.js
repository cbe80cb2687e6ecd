'use strict';

const { channel } = require('diagnostics_channel');
const { once } = require('events');
const http = require('http');
const net = require('net');

const { dial, listen } = require('../support/connection');
const {
  canAdopt,
  describeEach,
  implementations,
  oxws
} = require('../support/implementations');
const {
  GET,
  answerTo,
  silentSocket,
  statusOf,
  untilCount
} = require('../support/own-port');
const { rawClient, rawSocket, upgradeRequest } = require('../support/raw');
const { onRelease, trackServer } = require('../support/resources');
const { KEY, frame } = require('../support/wire');

const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n';

describeEach(implementations, 'the server of an own port', ({ lib }) => {
  test("is Node's http.Server", async () => {
    const { wss, port } = await listen(lib);
    const server = wss._server;
    const ordinary = trackServer(http.createServer(() => {}));

    ordinary.listen(0);
    await once(ordinary, 'listening');
    expect(server).toBeInstanceOf(http.Server);
    expect(server.constructor).toBe(http.Server);
    expect(Object.keys(server)).toEqual(Object.keys(ordinary));
    expect(Object.keys(server._handle)).toEqual(Object.keys(ordinary._handle));
    expect(server.eventNames().map(String).sort()).toEqual([
      'connection',
      'error',
      'listening',
      'request',
      'upgrade'
    ]);
    expect(
      server.eventNames().map((event) => [event, server.listenerCount(event)])
    ).toEqual([
      ['request', 1],
      ['connection', 1],
      ['listening', 2],
      ['error', 1],
      ['upgrade', 1]
    ]);
    expect(server.listening).toBe(true);
    expect(server.address()).toEqual(wss.address());
    expect(server.address()).toEqual({
      address: '127.0.0.1',
      family: 'IPv4',
      port
    });
    expect(server._connectionKey).toBe('4:127.0.0.1:0');
  });

  test('is the server of its sockets', async () => {
    const { wss, port } = await listen(lib);
    const connected = once(wss, 'connection');

    await rawClient(port);

    const [websocket, request] = await connected;

    expect(request.socket.server).toBe(wss._server);
    expect(websocket._socket).toBe(request.socket);
    expect(websocket._socket._server).toBe(wss._server);
  });

  test('gives requests a socket that outlasts their prototype', async () => {
    const { wss, port } = await listen(lib);
    const connected = once(wss, 'connection');

    await rawClient(port);

    const [websocket, request] = await connected;
    const seen = new Proxy(request, {});

    expect(Object.keys(request)).toContain('socket');
    expect(seen.socket).toBe(websocket._socket);
    // What Express does with a request.
    Object.setPrototypeOf(request, http.IncomingMessage.prototype);
    expect(request.socket).toBe(websocket._socket);
    expect({ ...request }.socket).toBe(websocket._socket);
    request.socket = null;
    expect(request.socket).toBeNull();
  });

  test('lets others answer requests', async () => {
    const { wss, port } = await listen(lib);
    const seen = [];

    wss._server.on('request', ({ url }) => seen.push(url));
    expect(await answerTo(port, GET)).toBe(
      'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 16\r\n' +
        'Content-Type: text/plain\r\nConnection: close\r\n\r\nUpgrade Required'
    );
    wss._server.removeAllListeners('request');
    wss._server.on('request', (_, res) => res.end('mine'));
    expect(await answerTo(port, GET)).toMatch(/^HTTP\/1\.1 200 .*mine$/s);
    expect(seen).toEqual(['/h']);
  });

  test('lets others answer upgrades', async () => {
    const { wss, port } = await listen(lib);
    const seen = [];

    wss.on('connection', (_, { mark }) => seen.push(`connection ${mark}`));
    wss._server.prependListener('upgrade', (request, socket, head) => {
      seen.push(`${request.url} ${socket.constructor.name} ${head.length}`);
      request.mark = 1;
    });
    await rawClient(port, { path: '/a' });
    expect(seen).toEqual(['/a Socket 0', 'connection 1']);

    wss._server.removeAllListeners('upgrade');
    wss._server.on('upgrade', (_, socket) => socket.end(FORBIDDEN));
    expect(await answerTo(port, upgradeRequest())).toBe(FORBIDDEN);
    expect(seen).toHaveLength(2);
  });

  test('asks a guard that came after the connection', async () => {
    const { wss, port } = await listen(lib);
    const server = wss._server;
    const onConnection = jest.fn();
    const silent = await silentSocket(server, port);
    const slow = await silentSocket(server, port);
    const request = upgradeRequest();

    wss.on('connection', onConnection);
    server.on('connection', onConnection);
    slow.write(request.slice(0, 40));
    // It has been read when another one has been answered.
    await statusOf(port, GET);
    expect(onConnection).toHaveBeenCalledTimes(1);
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_, socket) => socket.end(FORBIDDEN));
    silent.write(request);
    slow.write(request.slice(40));
    expect(String(await silent.rest())).toBe(FORBIDDEN);
    expect(String(await slow.rest())).toBe(FORBIDDEN);
    expect(onConnection).toHaveBeenCalledTimes(1);
    await untilCount(server, 0);
  });

  test('serves as before when all is as before', async () => {
    const { wss, port } = await listen(lib);
    const onUpgrade = jest.fn();

    wss._server.on('upgrade', onUpgrade);
    await rawClient(port);
    wss._server.off('upgrade', onUpgrade);
    await rawClient(port);
    expect(onUpgrade).toHaveBeenCalledTimes(1);
    expect(wss.clients.size).toBe(2);
  });

  test('delivers what came with an upgrade that others have seen', async () => {
    const { wss, port } = await listen(lib);
    const received = [];

    wss._server.on('connection', () => {});
    wss.on('connection', (websocket) =>
      websocket.on('message', (data) => {
        received.push(String(data));
        if (data.length > 1) websocket.close();
      })
    );

    const peer = await rawClient(port, {
      after: Buffer.concat([
        frame({ opcode: 1, key: KEY, payload: 'a' }),
        frame({ opcode: 1, key: KEY, payload: 'bb' })
      ])
    });

    expect((await peer.frame()).opcode).toBe(8);
    expect(received).toEqual(['a', 'bb']);
  });

  test('without a listener of upgrades takes none', async () => {
    const { wss, port } = await listen(lib);
    const onConnection = jest.fn();

    wss.on('connection', onConnection);
    wss._server.removeAllListeners('upgrade');

    const peer = await rawSocket(port);

    peer.write(upgradeRequest());
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 426 /);
    expect(onConnection).not.toHaveBeenCalled();
  });

  test('emits through whatever emit() is', async () => {
    const { wss, port } = await listen(lib);
    const server = wss._server;
    const { emit } = server;
    const emitted = [];

    server.emit = function (event, ...args) {
      emitted.push(event);
      return emit.call(this, event, ...args);
    };
    await rawClient(port);
    expect(emitted).toEqual(['connection', 'upgrade']);
  });

  test('emits by hand', async () => {
    const { wss } = await listen(lib);
    const upgrading = trackServer(http.createServer());
    const accepting = trackServer(net.createServer());

    upgrading.on('upgrade', (...args) => wss._server.emit('upgrade', ...args));
    accepting.on('connection', (socket) =>
      wss._server.emit('connection', socket)
    );

    for (const server of [upgrading, accepting]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');

      const { port } = server.address();

      await once(dial(lib, `ws://127.0.0.1:${port}`), 'open');
    }
    expect(wss.clients.size).toBe(2);
  });

  test('tells of connections when they come', async () => {
    const { wss, port } = await listen(lib);
    const connected = once(wss._server, 'connection');
    const peer = await rawSocket(port);
    const [socket] = await connected;

    expect(socket.constructor).toBe(net.Socket);
    expect(socket.server).toBe(wss._server);
    expect(socket.remotePort).toBe(peer.socket.localPort);
    socket.destroy();
    await peer.closed;
  });

  test("publishes on Node's channels", async () => {
    const { wss, port } = await listen(lib);
    const published = [];
    const onPublish = ({ socket }) => published.push(socket.server);

    channel('net.server.socket').subscribe(onPublish);
    onRelease(() => channel('net.server.socket').unsubscribe(onPublish));
    await rawClient(port);
    expect(published).toEqual([wss._server]);
  });

  test('listens again', async () => {
    const { wss } = await listen(lib);
    const server = wss._server;

    expect(() => server.listen(0)).toThrow(
      expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' })
    );
    await new Promise((resolve) => server.close(resolve));
    server.listen(0, 'localhost');
    await once(wss, 'listening');
    await rawClient(wss.address().port);
    expect(wss.clients.size).toBe(1);
  });

  test('reports a port that is taken', async () => {
    const { port } = await listen(lib);
    const taken = new lib.WebSocketServer({ port, host: '127.0.0.1' });
    const [err] = await once(taken, 'error');

    expect({ ...err, message: err.message }).toEqual({
      address: '127.0.0.1',
      code: 'EADDRINUSE',
      errno: expect.any(Number),
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
      port,
      syscall: 'listen'
    });
    expect(() => new lib.WebSocketServer({ port: 65536 })).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' })
    );
  });

  test('does not fall back to IPv4 if the port is taken for IPv6', async () => {
    const other = trackServer(net.createServer());

    other.listen({ port: 0, host: '::', ipv6Only: true });
    await once(other, 'listening');

    const { port } = other.address();
    const [err] = await once(new lib.WebSocketServer({ port }), 'error');

    expect(err.message).toBe(
      `listen EADDRINUSE: address already in use :::${port}`
    );
  });
});

describeEach(implementations, 'an own port', ({ lib }) => {
  test('is made by whatever createServer() is', async () => {
    class Message extends http.IncomingMessage {}

    const { createServer } = http;
    const spy = jest
      .spyOn(http, 'createServer')
      .mockImplementation((listener) =>
        createServer({ IncomingMessage: Message }, listener)
      );

    onRelease(() => spy.mockRestore());

    const { wss, port } = await listen(lib);

    expect(spy).toHaveBeenCalledTimes(1);

    const connected = once(wss, 'connection');

    await rawClient(port);
    expect((await connected)[1]).toBeInstanceOf(Message);
  });

  test('is listened on by whatever listen() is', async () => {
    const calls = [];
    const { listen: original } = net.Server.prototype;
    const spy = jest
      .spyOn(net.Server.prototype, 'listen')
      .mockImplementation(function (...args) {
        calls.push(args);
        return original.call(this, 0, '127.0.0.1');
      });

    onRelease(() => spy.mockRestore());

    const { wss } = await listen(lib, { port: 1, backlog: 5 });

    spy.mockRestore();
    expect(calls).toEqual([[1, '127.0.0.1', 5, undefined]]);
    expect(wss.address().port).toBeGreaterThan(1);
    await rawClient(wss.address().port);
  });

  test('has a subclass handle upgrades', async () => {
    const calls = [];

    class Server extends lib.WebSocketServer {
      handleUpgrade(request, socket, head, callback) {
        calls.push([request.constructor, socket.constructor, head.length]);
        super.handleUpgrade(request, socket, head, callback);
      }
    }

    const { port } = await listen({ WebSocketServer: Server });

    await rawClient(port, { after: 'x' });
    expect(calls).toEqual([[http.IncomingMessage, net.Socket, 1]]);
  });
});

test('the engine reads upgrade requests where nobody can tell', async () => {
  const { wss, port } = await listen(oxws);
  const isNodes = [];

  wss.on('connection', (_, request) =>
    isNodes.push(
      Object.getPrototypeOf(request) === http.IncomingMessage.prototype
    )
  );
  await rawClient(port);
  // What is about other requests does not count.
  wss._server.on('request', () => {});
  wss._server.on('clientError', (_, socket) => socket.destroy());
  wss._server.keepAliveTimeout = 60_000;
  wss._server.headersTimeout = 10_000;
  wss._server.maxConnections = 3;
  await rawClient(port);
  wss._server.on('connection', () => {});
  await rawClient(port);
  expect(isNodes).toEqual(
    canAdopt ? [false, false, true] : Array(3).fill(true)
  );
});
