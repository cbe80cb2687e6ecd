'use strict';

const { once } = require('events');

const { connect, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  oxws,
  ws
} = require('../support/implementations');
const {
  GET,
  answerTo,
  countOf,
  silentSocket,
  statusOf,
  untilCount
} = require('../support/own-port');
const { rawClient, rawSocket, upgradeRequest } = require('../support/raw');
const { KEY, frame } = require('../support/wire');

describeEach(implementations, 'the connections of an own port', ({ lib }) => {
  test('counts connections from the first moment to the last', async () => {
    const { wss, port } = await listen(lib);
    const server = wss._server;
    const connected = once(wss, 'connection');
    const silent = await silentSocket(server, port);

    expect(await countOf(server)).toBe(1);
    await rawClient(port);

    const [websocket] = await connected;

    expect(await countOf(server)).toBe(2);
    websocket.terminate();
    expect(server._connections).toBe(1);
    silent.socket.end();
    await silent.closed;
    await untilCount(server, 0);
    await answerTo(port, GET);
    await untilCount(server, 0);
    expect(await countOf(server)).toBe(0);
  });

  test('counts one whose socket somebody has seen', async () => {
    const { wss, port } = await listen(lib);
    const connected = once(wss, 'connection');
    const peer = await rawClient(port);
    const [{ _socket: socket }] = await connected;

    expect(wss._server._connections).toBe(1);
    peer.socket.destroy();
    await once(socket, 'close');
    expect(wss._server._connections).toBe(0);
  });

  test('counts the bytes that it has read', async () => {
    const { wss, port } = await listen(lib);
    const request = GET.replace('close', 'keep-alive');
    const counts = [];

    wss._server.prependListener('request', ({ socket }) => {
      counts.push(socket.bytesRead);
      socket.on('close', () => counts.push(socket.bytesRead));
    });
    wss._server.on('clientError', (err, socket) => {
      counts.push(socket.bytesRead);
      socket.destroy();
    });

    const peer = await rawSocket(port);

    peer.write(request);
    await peer.head();
    peer.write('x y\r\n\r\n');
    await peer.closed;
    await untilCount(wss._server, 0);

    const { length } = request;

    expect(counts).toEqual([length, length + 7, length + 7]);
  });

  test('is closed before the last of them that its peer ends', async () => {
    const { wss, port } = await listen(lib);
    const order = [];
    const connected = once(wss, 'connection');
    const peer = await rawClient(port);
    const [websocket] = await connected;

    websocket.on('close', (code) => order.push(`WebSocket ${code}`));
    wss.on('close', () => order.push(`server ${wss.clients.size}`));
    wss.close();
    peer.socket.end();
    await once(websocket, 'close');

    expect(order).toEqual(['server 1', 'WebSocket 1006']);
  });

  test('drops connections beyond maxConnections', async () => {
    const { wss, port } = await listen(lib);
    const drops = [];

    wss._server.maxConnections = 1;
    wss._server.on('drop', (data) => drops.push(data));
    await rawClient(port);

    const second = await rawSocket(port);

    await second.closed;
    expect(drops).toEqual([
      {
        localAddress: '127.0.0.1',
        localFamily: 'IPv4',
        localPort: port,
        remoteAddress: '127.0.0.1',
        remoteFamily: 'IPv4',
        remotePort: expect.any(Number)
      }
    ]);
    expect(await countOf(wss._server)).toBe(1);
    wss._server.maxConnections = 2;
    await rawClient(port);
  });

  test('closes all connections that are no WebSockets', async () => {
    const { wss, port } = await listen(lib);
    const server = wss._server;
    const client = await rawClient(port);
    const silent = await silentSocket(server, port);
    const slow = await silentSocket(server, port);

    slow.write('GET / HT');
    // It has been read when another one has been answered.
    await statusOf(port, GET);
    await untilCount(server, 3);
    server.closeAllConnections();
    await Promise.all([silent.closed, slow.closed]);
    expect(server._connections).toBe(1);
    client.write(frame({ opcode: 9, key: KEY, payload: 'x' }));
    expect((await client.frame()).opcode).toBe(10);
  });

  test('applies its timeout to connections that come later', async () => {
    const { wss, port } = await listen(lib);
    const onTimeout = jest.fn((socket) => socket.destroy());

    expect(wss._server.setTimeout(50, onTimeout)).toBe(wss._server);
    await (
      await rawSocket(port)
    ).closed;
    expect(onTimeout).toHaveBeenCalledTimes(1);
  });

  test('heeds what was set for its requests', async () => {
    const { wss, port } = await listen(lib);
    const connected = once(wss, 'connection');

    wss._server.maxHeadersCount = 3;
    await answerTo(port, upgradeRequest());
    wss._server.maxHeadersCount = null;
    await rawClient(port, { headers: { A: 'b' } });
    expect((await connected)[1].headers.a).toBe('b');
    expect(wss.clients.size).toBe(1);
  });

  test('tells of errors of clients', async () => {
    const { wss, port } = await listen(lib);
    const errors = [];

    expect(await statusOf(port, 'nonsense\r\n\r\n')).toBe(
      'HTTP/1.1 400 Bad Request'
    );
    wss._server.on('clientError', ({ code }, socket) => {
      errors.push(code);
      socket.end('HTTP/1.1 400 Mine\r\n\r\n');
    });
    expect(await statusOf(port, 'nonsense\r\n\r\n')).toBe('HTTP/1.1 400 Mine');
    expect(errors).toEqual(['HPE_INVALID_METHOD']);
  });

  test('may be closed before the WebSocketServer', async () => {
    const { wss } = await listen(lib);

    await new Promise((resolve) => wss._server.close(resolve));
    expect(wss.address()).toBe(null);
    await new Promise((resolve) => wss.close(resolve));
    await listen(lib);
  });

  test('waits for its connections, and is closed before they are', async () => {
    const { wss, server } = await connect(lib);
    const { _server: httpServer } = wss;
    const order = [];

    wss.on('close', () => order.push('WebSocketServer'));
    server.on('close', () => order.push('WebSocket'));
    wss.close();
    httpServer.close(({ code }) => order.push(code));
    httpServer.on('close', () => order.push('server'));
    expect(httpServer.listening).toBe(false);
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    server.close();
    await once(server, 'close');
    expect(order).toEqual([
      'WebSocketServer',
      'ERR_SERVER_NOT_RUNNING',
      'server',
      'WebSocket'
    ]);
  });
});

/** Which of several connections closeIdleConnections() leaves. */
async function idleOnes(lib) {
  const { wss, port } = await listen(lib);
  const server = wss._server;
  const starts = {
    upgraded: upgradeRequest(),
    silent: '',
    begun: 'GET / HT',
    answered: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  };
  const open = new Set(Object.keys(starts));

  for (const [name, start] of Object.entries(starts)) {
    const peer = await silentSocket(server, port);

    peer.closed.then(() => open.delete(name));
    peer.write(start);
  }
  await answerTo(port, GET);
  await untilCount(server, 4);
  server.closeIdleConnections();
  while (server._connections !== open.size) await new Promise(setImmediate);
  return [...open];
}

test('closeIdleConnections() closes what it does with ws', async () => {
  const expected = await idleOnes(ws);

  expect(expected).not.toContain('answered');
  expect(await idleOnes(oxws)).toEqual(expected);
});
