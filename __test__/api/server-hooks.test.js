'use strict';

const { once } = require('events');

const { connect, dial, listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { rawSocket, upgradeRequest } = require('../support/raw');
const { frame, KEY, OPCODE } = require('../support/wire');

/** The error message of a client that is refused. */
async function refusal(pair, url, protocols, options) {
  const client = dial(pair, url, protocols, options);
  const [err] = await new Promise((resolve) => {
    client.on('error', (...args) => resolve(args));
  });

  return err.message;
}

describeEach(routedPairs, 'verifyClient', (pair) => {
  test('gets origin, security and request', async () => {
    const verifyClient = jest.fn(() => true);
    const { request } = await connect(pair, {
      server: { verifyClient },
      client: { origin: 'https://example.com' }
    });

    expect(verifyClient.mock.calls).toEqual([
      [
        {
          origin: 'https://example.com',
          secure: pair.route === 'TLS',
          req: request
        }
      ]
    ]);
    expect(verifyClient.mock.calls[0][0].req).toBe(request);
  });

  test('gets the origin of a version 8 client', async () => {
    const verifyClient = jest.fn(() => true);

    await connect(pair, {
      server: { verifyClient },
      client: { origin: 'https://example.com', protocolVersion: 8 }
    });
    expect(verifyClient.mock.calls[0][0].origin).toBe('https://example.com');
  });

  test.each([
    ['false', () => false],
    ['nothing', () => {}],
    ['false later', (info, done) => setImmediate(done, false)],
    ['nothing later', (info, done) => setImmediate(done)]
  ])('refuses with 401 by answering %s', async (_, verifyClient) => {
    const onConnection = jest.fn();
    const { wss, url } = await listen(pair, { verifyClient });

    wss.on('connection', onConnection);
    expect(await refusal(pair, url)).toBe('Unexpected server response: 401');
    expect(onConnection).not.toHaveBeenCalled();
    expect(wss.clients.size).toBe(0);
  });

  test.each([
    ['at once', (info, done) => done(true)],
    ['in a microtask', (info, done) => Promise.resolve(true).then(done)],
    ['later', (info, done) => setImmediate(done, true, 403, 'unused')]
  ])('with a callback accepts %s', async (_, verifyClient) => {
    const { client, server } = await connect(pair, {
      server: { verifyClient }
    });

    client.send('x');
    await once(server, 'message');
  });
});

describeEach(routedImplementations, 'verifyClient, raw', ({ lib, route }) => {
  const row = { WebSocketServer: lib.WebSocketServer, route };

  test('chooses status, body and headers of the refusal', async () => {
    const { port } = await listen(row, {
      verifyClient: (info, done) => {
        done(false, 403, 'h\u00e9', { 'X-Why': 'because', Connection: 'x' });
      }
    });
    const peer = await rawSocket(port, route);

    peer.write(upgradeRequest());
    expect((await peer.rest()).toString()).toBe(
      [
        'HTTP/1.1 403 Forbidden',
        'Connection: x',
        'Content-Type: text/html',
        'Content-Length: 3',
        'X-Why: because',
        '',
        'h\u00e9'
      ].join('\r\n')
    );
  });

  test('keeps what arrives while it takes its time', async () => {
    const messages = [];
    const after = Buffer.concat([
      frame({ opcode: OPCODE.text, payload: 'one', key: KEY }),
      frame({ opcode: OPCODE.text, payload: 'two', key: KEY }),
      frame({ opcode: OPCODE.close, key: KEY })
    ]);
    let closed;

    await serveRaw(
      { lib, route },
      { verifyClient: (info, done) => setImmediate(done, true) },
      {
        onWebSocket: (websocket) => {
          websocket.on('message', (data) => messages.push(String(data)));
          closed = once(websocket, 'close');
        },
        request: { after }
      }
    );
    await closed;
    expect(messages).toEqual(['one', 'two']);
  });

  test('does not matter once the client is gone', async () => {
    let answer;
    const asked = new Promise((resolve) => (answer = resolve));
    const { wss, port } = await listen(row, {
      verifyClient: (info, done) => answer({ info, done })
    });
    const onConnection = jest.fn();

    wss.on('connection', onConnection);

    const peer = await rawSocket(port, route);

    peer.write(upgradeRequest());

    const { info, done } = await asked;
    const { socket } = info.req;
    const closed = new Promise((resolve) => socket.on('close', resolve));

    peer.socket.destroy();
    await Promise.race([
      closed,
      new Promise((resolve) => socket.on('end', resolve))
    ]);
    done(true);
    await closed;
    expect(onConnection).not.toHaveBeenCalled();
    expect(wss.clients.size).toBe(0);
  });
});

describeEach(pairs, 'handleProtocols', (pair) => {
  test('without it the first offered subprotocol wins', async () => {
    const { client, server } = await connect(pair, {
      protocols: ['v2.chat', 'chat']
    });

    expect([client.protocol, server.protocol]).toEqual(['v2.chat', 'v2.chat']);
  });

  test('chooses among the offered ones', async () => {
    const handleProtocols = jest.fn((protocols) => [...protocols][1]);
    const { client, server, request } = await connect(pair, {
      server: { handleProtocols },
      protocols: ['v2.chat', 'chat']
    });

    expect([client.protocol, server.protocol]).toEqual(['chat', 'chat']);
    expect(handleProtocols.mock.calls).toEqual([
      [new Set(['v2.chat', 'chat']), request]
    ]);
  });

  test('is not asked when nothing is offered', async () => {
    const handleProtocols = jest.fn();
    const { client } = await connect(pair, { server: { handleProtocols } });

    expect(handleProtocols).not.toHaveBeenCalled();
    expect(client.protocol).toBe('');
  });

  test.each([
    ['nothing', () => undefined, 'Server sent no subprotocol'],
    ['false', () => false, 'Server sent no subprotocol'],
    ['a name of its own', () => 'x', 'Server sent an invalid subprotocol']
  ])('may answer %s', async (_, handleProtocols, message) => {
    const { url } = await listen(pair, { handleProtocols });

    expect(await refusal(pair, url, ['chat'])).toBe(message);
  });

  test('may be set after the construction', async () => {
    const { wss, url } = await listen(pair);

    wss.options.handleProtocols = () => 'chat';

    const client = dial(pair, url, ['v2.chat', 'chat']);

    await once(client, 'open');
    expect(client.protocol).toBe('chat');
  });
});

describeEach(routedPairs, "'headers'", (pair) => {
  test('has the lines of the response before they are written', async () => {
    const { wss, url } = await listen(pair);
    const seen = new Promise((resolve) => {
      wss.on('headers', (lines, request) => {
        resolve({ lines: [...lines], request, clients: wss.clients.size });
        lines.push('Set-Cookie: a=1', 'X-Added: yes');
      });
    });
    const client = dial(pair, url, ['chat']);
    const [[response], , { lines, request, clients }] = await Promise.all([
      once(client, 'upgrade'),
      once(client, 'open'),
      seen
    ]);

    expect(lines).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      expect.stringMatching(/^Sec-WebSocket-Accept: .{28}$/),
      'Sec-WebSocket-Protocol: chat'
    ]);
    expect(clients).toBe(0);
    expect(request.headers['sec-websocket-protocol']).toBe('chat');
    expect(response.rawHeaders.slice(-4)).toEqual([
      'Set-Cookie',
      'a=1',
      'X-Added',
      'yes'
    ]);
  });
});

describeEach(routedPairs, "'connection'", (pair) => {
  test('has the open WebSocket and its request', async () => {
    const { wss, url } = await listen(pair);
    let seen;

    wss.on('connection', (server, request) => {
      seen = {
        readyState: server.readyState,
        tracked: wss.clients.has(server),
        url: server.url,
        protocol: server.protocol,
        request: [request.method, request.url, request.httpVersion],
        header: request.headers['x-a'],
        raw: request.rawHeaders.slice(0, 2),
        sameSocket: request.socket === server._socket,
        remoteAddress: request.socket.remoteAddress,
        remotePort: request.socket.remotePort,
        localPort: request.socket.localPort
      };
    });

    const client = dial(pair, `${url}a?b`, [], { headers: { 'X-A': '1' } });

    await once(client, 'open');
    expect(seen).toEqual({
      readyState: 1,
      tracked: true,
      url: undefined,
      protocol: '',
      request: ['GET', '/a?b', '1.1'],
      header: '1',
      raw: ['X-A', '1'],
      sameSocket: true,
      remoteAddress: '127.0.0.1',
      remotePort: client._socket.localPort,
      localPort: Number(new URL(url).port)
    });
  });

  test('has an instance of the class of the options', async () => {
    const args = [];
    const { wss, url } = await listen(pair);
    const { WebSocket } = wss.options;

    wss.options.WebSocket = class Session extends WebSocket {
      constructor(...parameters) {
        super(...parameters);
        args.push(parameters);
      }

      greet() {
        this.send('hello');
      }
    };
    wss.on('connection', (server) => server.greet());

    const client = dial(pair, url);
    const [data] = await once(client, 'message');

    expect(String(data)).toBe('hello');
    expect(args).toEqual([[null, undefined, wss.options]]);
  });
});

describeEach(routedImplementations, 'the path', ({ lib, route }) => {
  const row = { WebSocketServer: lib.WebSocketServer, route };

  async function statusOf(port, path) {
    const peer = await rawSocket(port, route);

    peer.write(upgradeRequest({ path }));
    return (await peer.head()).split(' ')[1];
  }

  test.each([
    ['/chat', '/chat', '101'],
    ['/chat', '/chat?room=1', '101'],
    ['/chat', '/chat/', '400'],
    ['/chat', '/Chat', '400'],
    ['/chat', '/', '400'],
    ['/chat', '/?/chat', '400'],
    [null, '/anything', '101'],
    ['', '/anything', '101']
  ])('%p answers a request for %p with %s', async (path, target, status) => {
    const { port } = await listen(row, { path });

    expect(await statusOf(port, target)).toBe(status);
  });

  test('shouldHandle() can be replaced', async () => {
    const { wss, port } = await listen(row, { path: '/chat' });

    wss.shouldHandle = ({ url, headers }) => url === '/x' && !!headers.host;
    expect(await statusOf(port, '/x')).toBe('101');
    expect(await statusOf(port, '/chat')).toBe('400');
  });

  test('handleUpgrade() can be replaced', async () => {
    const { wss, port } = await listen(row);
    const { handleUpgrade } = wss;
    const paths = [];

    wss.handleUpgrade = function (request, socket, head, done) {
      paths.push(request.url);
      handleUpgrade.call(this, request, socket, head, done);
    };
    expect(await statusOf(port, '/x')).toBe('101');
    expect(paths).toEqual(['/x']);
  });
});
