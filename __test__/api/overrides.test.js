'use strict';

const { once } = require('events');

const { connect, listen } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');
const { rawClient } = require('../support/raw');

describeEach(routedPairs, 'a subclass', (pair) => {
  /** A WebSocket class that notes the calls of setSocket(). */
  function watching(WebSocket, calls) {
    return class extends WebSocket {
      setSocket(socket, head, options) {
        calls.push([socket, Buffer.isBuffer(head), options.maxPayload]);
        super.setSocket(socket, head, options);
      }
    };
  }

  test('has its setSocket() called by a server', async () => {
    const calls = [];
    const { WebSocket } = new pair.WebSocketServer({ noServer: true }).options;
    const { client, server } = await connect(pair, {
      server: { WebSocket: watching(WebSocket, calls), maxPayload: 77 },
      onServer: (server) => server.on('message', (data) => server.send(data))
    });

    expect(calls).toEqual([[server._socket, true, 77]]);
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
  });

  test('has its setSocket() given the options that it is about', async () => {
    const given = [];
    const { WebSocket } = new pair.WebSocketServer({ noServer: true }).options;
    const noting = (Class) =>
      class extends Class {
        setSocket(socket, head, options) {
          given.push([this._isServer, Object.entries(options)]);
          super.setSocket(socket, head, options);
        }
      };
    const options = (values) => [
      ['allowSynchronousEvents', true],
      ...values,
      ['maxBufferedChunks', 262144],
      ['maxFragments', 16384],
      ['maxPayload', 104857600],
      ['skipUTF8Validation', false]
    ];

    await connect(
      { ...pair, WebSocket: noting(pair.WebSocket) },
      { server: { WebSocket: noting(WebSocket) } }
    );

    expect(given).toHaveLength(2);
    expect(new Map(given)).toEqual(
      new Map([
        [true, options([])],
        [false, options([['generateMask', undefined]])]
      ])
    );
  });

  test('may keep the socket for itself', async () => {
    const { WebSocket } = new pair.WebSocketServer({ noServer: true }).options;

    class Bare extends WebSocket {
      setSocket(socket) {
        this.bare = socket;
        socket.on('close', () => this.emit('close', 4001, Buffer.alloc(0)));
        socket.resume();
      }
    }

    const { wss, port } = await listen(pair, { WebSocket: Bare });
    const connected = once(wss, 'connection');
    const peer = await rawClient(port, { route: pair.route });
    const [websocket] = await connected;

    expect(wss.clients).toEqual(new Set([websocket]));
    expect(websocket.readyState).toBe(websocket.CONNECTING);
    expect(peer.response).toMatch(/^HTTP\/1\.1 101 /);
    websocket.bare.write('as it is');
    expect(String(await peer.bytes(8))).toBe('as it is');
    websocket.bare.destroy();
    expect(await once(websocket, 'close')).toEqual([4001, Buffer.alloc(0)]);
    expect(wss.clients.size).toBe(0);
  });

  test('has its setSocket() called by a client', async () => {
    const calls = [];
    const { client, server } = await connect(
      { ...pair, WebSocket: watching(pair.WebSocket, calls) },
      { client: { maxPayload: 78 } }
    );

    expect(calls).toEqual([[client._socket, true, 78]]);
    server.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
  });

  test('gets what came along with the handshake', async () => {
    const received = [];
    const { client } = await connect(
      { ...pair, WebSocket: watching(pair.WebSocket, []) },
      {
        onServer: (server) => server.send('early'),
        onClient: (client) =>
          client.on('message', (data) => received.push(String(data)))
      }
    );

    if (received.length === 0) await once(client, 'message');
    expect(received).toEqual(['early']);
  });

  test('has its completeUpgrade() called', async () => {
    const calls = [];

    class Mine extends pair.WebSocketServer {
      completeUpgrade(...args) {
        const [extensions, key, protocols, request, socket, head] = args;

        calls.push([
          Object.keys(extensions),
          key === request.headers['sec-websocket-key'],
          [...protocols],
          socket === request.socket,
          Buffer.isBuffer(head)
        ]);
        super.completeUpgrade(...args);
      }
    }

    const { client, server } = await connect(
      { ...pair, WebSocketServer: Mine },
      {
        protocols: ['a', 'b'],
        server: { perMessageDeflate: true },
        client: { perMessageDeflate: true }
      }
    );

    expect(calls).toEqual([
      [['permessage-deflate'], true, ['a', 'b'], true, true]
    ]);
    expect([client.protocol, server.extensions]).toEqual([
      'a',
      'permessage-deflate'
    ]);
    client.send('hello');
    expect(String((await once(server, 'message'))[0])).toBe('hello');
  });
});
