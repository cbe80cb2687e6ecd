'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { dial, listen } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { trackServer, trackWebSocketServer } = require('../support/resources');
const { describeError, thrown } = require('../support/trace');

describeEach(implementations, 'the server options', ({ lib }) => {
  const { WebSocketServer } = lib;
  const make = (...args) => trackWebSocketServer(new WebSocketServer(...args));

  test.each([
    ['nothing', undefined],
    ['an empty object', {}],
    ['a port of null', { port: null }],
    ['a port and a server', { port: 0, server: new http.Server() }],
    ['a port and noServer', { port: 0, noServer: true }],
    ['a server and noServer', { server: new http.Server(), noServer: true }]
  ])('%s is refused at once', (_, options) => {
    expect(thrown(() => new WebSocketServer(options))).toEqual({
      class: 'TypeError',
      message:
        'One and only one of the "port", "server", or "noServer" options ' +
        'must be specified'
    });
    expect(() => new WebSocketServer(options)).toThrow(TypeError);
  });

  test.each([-1, 65536, 1.5, NaN])('port %p is refused at once', (port) => {
    expect(thrown(() => new WebSocketServer({ port }))).toMatchObject({
      class: 'RangeError',
      code: 'ERR_SOCKET_BAD_PORT'
    });
  });

  test('are exposed with their defaults', () => {
    const { options } = make({ noServer: true, custom: 1 });

    expect(options).toEqual({
      allowSynchronousEvents: true,
      autoPong: true,
      backlog: null,
      clientTracking: true,
      closeTimeout: 30000,
      custom: 1,
      handleProtocols: null,
      host: null,
      maxBufferedChunks: 262144,
      maxFragments: 16384,
      maxPayload: 104857600,
      maxPendingAutoPongs: 60,
      noServer: true,
      path: null,
      perMessageDeflate: false,
      port: null,
      server: null,
      skipUTF8Validation: false,
      verifyClient: null,
      WebSocket: lib
    });
  });

  test('perMessageDeflate true is an empty object', () => {
    expect(
      make({ noServer: true, perMessageDeflate: true }).options
    ).toHaveProperty('perMessageDeflate', {});
  });

  test('stay as they were', () => {
    const options = Object.freeze({ noServer: true });

    expect(make(options).options).not.toBe(options);
  });

  test('clientTracking decides about clients', () => {
    expect(make({ noServer: true }).clients).toBeInstanceOf(Set);
    expect(
      make({ noServer: true, clientTracking: false }).clients
    ).toBeUndefined();
  });
});

describeEach(implementations, 'listening', ({ lib }) => {
  const { WebSocketServer } = lib;
  const make = (...args) => trackWebSocketServer(new WebSocketServer(...args));

  test('calls back and emits, later than the constructor returns', async () => {
    const order = [];
    const wss = make({ port: 0 }, function () {
      order.push(['callback', arguments.length]);
    });

    order.push(['constructed']);
    wss.on('listening', (...args) => order.push(['listening', args.length]));
    await once(wss, 'listening');
    expect(order).toEqual([['constructed'], ['callback', 0], ['listening', 0]]);
  });

  test('gives an address until the server is closed', async () => {
    const wss = make({ port: 0, host: '127.0.0.1' });

    expect([null, 'object']).toContainEqual(
      wss.address() === null ? null : typeof wss.address()
    );
    await once(wss, 'listening');
    expect(wss.address()).toEqual({
      address: '127.0.0.1',
      family: 'IPv4',
      port: expect.any(Number)
    });

    const closed = once(wss, 'close');

    wss.close();
    expect(wss.address()).toBe(null);
    await closed;
    expect(wss.address()).toBe(null);
  });

  test('binds to what http.Server binds to by default', async () => {
    const server = trackServer(http.createServer());
    const wss = make({ port: 0 });

    server.listen(0);
    await Promise.all([once(server, 'listening'), once(wss, 'listening')]);

    const { address, family } = server.address();

    expect(wss.address()).toMatchObject({ address, family });
  });

  test.each([
    ['a port as text', { port: '0' }],
    ['a backlog', { port: 0, backlog: 1 }],
    ['a host name', { port: 0, host: 'localhost' }]
  ])('accepts %s', async (_, options) => {
    const wss = make(options);

    await once(wss, 'listening');
    await once(dial({ WebSocket: lib }, urlOf(wss)), 'open');
  });

  function urlOf(wss) {
    const { address, family, port } = wss.address();
    const host = family === 'IPv6' ? '[::1]' : address;

    return `ws://${address === '::' ? '127.0.0.1' : host}:${port}`;
  }

  /** The error of a net.Server that cannot listen. */
  async function errorOfNode(options) {
    const server = net.createServer().listen(options);
    const [err] = await once(server, 'error');

    return { ...describeError(err), port: err.port };
  }

  test('on a port in use is the error of Node', async () => {
    const { port } = await listen(lib);
    const options = { port, host: '127.0.0.1' };
    const wss = new WebSocketServer(options);
    const [err] = await once(wss, 'error');

    expect({ ...describeError(err), port: err.port }).toEqual(
      await errorOfNode(options)
    );
    expect(err.code).toBe('EADDRINUSE');
    expect(wss.address()).toBe(null);
  });

  test('on an address of another machine is the error of Node', async () => {
    const options = { port: 0, host: '192.0.2.1' };
    const [err] = await once(new WebSocketServer(options), 'error');

    expect({ ...describeError(err), port: err.port }).toEqual(
      await errorOfNode(options)
    );
  });

  test('on an unknown host is the error of Node', async () => {
    const options = { port: 0, host: 'name.invalid' };
    const [err] = await once(new WebSocketServer(options), 'error');

    expect({ ...describeError(err), port: err.port }).toEqual(
      await errorOfNode(options)
    );
  });

  test('is not possible without a server', () => {
    const wss = make({ noServer: true });

    expect(Object.keys(wss)).not.toContain('_server');
    expect(wss._server).toBeUndefined();
    expect(thrown(() => wss.address())).toEqual({
      class: 'Error',
      message: 'The server is operating in "noServer" mode'
    });
  });
});

describeEach(implementations, 'an http.Server of the user', ({ lib }) => {
  const { WebSocketServer } = lib;

  test('lends its events and its address', async () => {
    const server = trackServer(http.createServer());
    const callback = jest.fn();
    const wss = trackWebSocketServer(new WebSocketServer({ server }, callback));
    const failure = new Error('of the server');
    const failed = new Promise((resolve) => wss.on('error', resolve));

    server.listen(0, '127.0.0.1');
    await once(wss, 'listening');
    expect(wss.address()).toEqual(server.address());
    server.emit('error', failure);
    expect(await failed).toBe(failure);
    expect(callback).not.toHaveBeenCalled();
  });

  test('keeps answering its own requests', async () => {
    const server = trackServer(http.createServer((_, res) => res.end('mine')));

    trackWebSocketServer(new WebSocketServer({ server }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const { port } = server.address();
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: 'close' }
    });

    expect(await response.text()).toBe('mine');
    await once(dial({ WebSocket: lib }, `ws://127.0.0.1:${port}`), 'open');
  });

  test('is left open and without our listeners by close()', async () => {
    const server = trackServer(http.createServer());
    const names = ['listening', 'error', 'upgrade'];
    const counts = () => names.map((name) => server.listenerCount(name));
    const before = counts();
    const wss = new WebSocketServer({ server });

    expect(counts()).toEqual(before.map((count) => count + 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await new Promise((resolve) => wss.close(resolve));
    expect(counts()).toEqual(before);
    expect(server.listening).toBe(true);
  });

  test('may already listen', async () => {
    const server = trackServer(http.createServer()).listen(0, '127.0.0.1');

    await once(server, 'listening');

    const wss = trackWebSocketServer(new WebSocketServer({ server }));

    await once(
      dial({ WebSocket: lib }, `ws://127.0.0.1:${wss.address().port}`),
      'open'
    );
  });

  test('may listen on a path of the file system', async () => {
    const server = trackServer(http.createServer());
    const wss = trackWebSocketServer(new WebSocketServer({ server }));
    const path = `\0oxws-${process.pid}-${Math.random()}`;

    server.listen(path);
    await once(wss, 'listening');
    expect(wss.address()).toBe(path);
  });
});
