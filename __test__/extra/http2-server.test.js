'use strict';

const { once } = require('events');
const http = require('http');
const https = require('https');

const { handleConnect, serveHttp2, shutdown } = require('../../lib/extra');
const { oxws } = require('../support/implementations');
const {
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { OPCODE, KEY, frame } = require('../support/wire');
const { onceClosed } = require('./support/connections');
const {
  createSecureServer,
  createServer,
  listen,
  openRaw,
  openStream,
  serve
} = require('./support/http2');

/** Status, body and fields with which a request is refused. */
async function refusal(session, headers) {
  const { peer, response, stream } = await openStream(session, headers);
  const body = String(await peer.rest());

  await peer.closed;
  return { status: response[':status'], body, response, code: stream.rstCode };
}

describe('a request', () => {
  test('is accepted, and says what it is', async () => {
    const { wss, websocket, request, response, peer, port } = await openRaw(
      {},
      { ':path': '/chat?room=1', cookie: 'a=1; b=2', origin: 'http://a.test' }
    );

    expect(response).toMatchObject({ ':status': 200 });
    for (const name of [
      'connection',
      'upgrade',
      'sec-websocket-accept',
      'sec-websocket-protocol',
      'sec-websocket-extensions'
    ]) {
      expect(response).not.toHaveProperty(name);
    }

    expect([...wss.clients].map((each) => each === websocket)).toEqual([true]);
    expect(request instanceof http.IncomingMessage).toBe(true);
    expect([request.httpVersion, request.method, request.url]).toEqual([
      '2.0',
      'CONNECT',
      '/chat?room=1'
    ]);
    expect(request.headers).toMatchObject({
      ':protocol': 'websocket',
      cookie: 'a=1; b=2',
      host: `127.0.0.1:${port}`,
      origin: 'http://a.test'
    });
    expect(request.socket.remoteAddress).toBe('127.0.0.1');
    expect(request.stream === websocket._socket).toBe(true);

    websocket.send('text');
    expect(await peer.frame()).toMatchObject({
      opcode: OPCODE.text,
      key: null,
      payload: Buffer.from('text')
    });

    const received = once(websocket, 'message');

    peer.write(frame({ opcode: OPCODE.binary, payload: 'bytes', key: KEY }));
    expect(await received).toEqual([Buffer.from('bytes'), true]);

    const closed = onceClosed(websocket);

    peer.socket.destroy();
    await closed;
    expect(request.socket.remoteAddress).toBeUndefined();
  });

  test('is answered with what was negotiated', async () => {
    const offered = [];
    const { websocket, response } = await openRaw(
      {
        perMessageDeflate: { threshold: 0, serverMaxWindowBits: 10 },
        handleProtocols(protocols, { url }) {
          offered.push([...protocols], url);
          return 'b';
        }
      },
      {
        'sec-websocket-protocol': 'a, b',
        'sec-websocket-extensions':
          'permessage-deflate; server_max_window_bits'.concat('=15')
      }
    );

    expect(offered).toEqual([['a', 'b'], '/']);
    expect(websocket.protocol).toBe('b');
    expect(websocket.extensions).toBe('permessage-deflate');
    expect(response).toMatchObject({
      'sec-websocket-protocol': 'b',
      'sec-websocket-extensions':
        'permessage-deflate; server_max_window_bits=10'
    });
  });

  test('gets the fields that listeners add', async () => {
    const { wss, connect } = await serve();
    let first;

    wss.on('headers', (lines, request) => {
      first = [lines[0], request.httpVersion];
      lines.push('Set-Cookie: a=1', 'set-cookie:b=2', 'Connection: close');
    });

    const { response } = await openStream(connect());

    expect(first).toEqual(['HTTP/2 200', '2.0']);
    expect(response['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(response).not.toHaveProperty('connection');
  });

  test('has its key answered, if there is one', async () => {
    const { response } = await openRaw(
      {},
      { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
    );

    expect(response['sec-websocket-accept']).toBe(
      's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    );
  });
});

describe('a request is refused', () => {
  const refusals = [
    ['elsewhere', { path: '/chat' }, {}, 400, 'Bad Request'],
    ['by the user', { verifyClient: () => false }, {}, 401, 'Unauthorized'],
    [
      'in a version that nobody knows',
      {},
      { 'sec-websocket-version': '12' },
      400,
      'Missing or invalid Sec-WebSocket-Version header'
    ],
    [
      'with a subprotocol that is none',
      {},
      { 'sec-websocket-protocol': 'a,,b' },
      400,
      'Invalid Sec-WebSocket-Protocol header'
    ],
    [
      'with an extension that is none',
      { perMessageDeflate: true },
      { 'sec-websocket-extensions': 'permessage-deflate; =1' },
      400,
      'Invalid or unacceptable Sec-WebSocket-Extensions header'
    ]
  ];

  test.each(refusals)('%s', async (title, options, headers, status, body) => {
    const { connect } = await serve(options);
    const { response, ...answer } = await refusal(connect(), headers);

    expect(answer).toEqual({ status, body, code: 0 });
    expect(response).toMatchObject({
      'content-type': 'text/html',
      'content-length': `${body.length}`
    });
    expect(response['sec-websocket-version']).toBe(
      headers['sec-websocket-version'] && '13, 8'
    );
  });

  test('later, with what the user says', async () => {
    const infos = [];
    const { connect } = await serve({
      verifyClient({ origin, secure, req }, callback) {
        infos.push(origin, secure, req.url);
        setImmediate(callback, false, 429, 'slow down', {
          Connection: 'close',
          'Retry-After': 3,
          'Set-Cookie': ['a=1', 'b=2']
        });
      }
    });
    const { status, body, response } = await refusal(connect(), {
      origin: 'http://a.test'
    });

    expect(infos).toEqual(['http://a.test', false, '/']);
    expect([status, body]).toEqual([429, 'slow down']);
    expect(response).toMatchObject({
      'retry-after': '3',
      'set-cookie': ['a=1', 'b=2']
    });
    expect(response).not.toHaveProperty('connection');
  });

  test('without a body where the status has none', async () => {
    const { connect } = await serve({
      verifyClient: (info, callback) => callback(false, 204)
    });

    expect(await refusal(connect())).toMatchObject({ status: 204, body: '' });
  });

  test('when the server is closed, which then listens no more', async () => {
    const { wss, server, websocket, session } = await openRaw();
    const counts = () =>
      ['stream', 'upgrade', 'connect'].map((name) =>
        server.listenerCount(name)
      );

    expect(counts()).toEqual([1, 1, 1]);
    wss.close();
    expect(await refusal(session)).toMatchObject({ status: 503 });
    expect(counts()).toEqual([1, 1, 1]);
    websocket.terminate();
    await once(wss, 'close');
    expect(counts()).toEqual([0, 0, 0]);
  });

  test('while the server shuts down', async () => {
    const { wss, session, peer } = await openRaw();
    const result = shutdown(wss);

    expect(await peer.frame()).toMatchObject({ opcode: OPCODE.close });
    expect(await refusal(session)).toMatchObject({
      status: 503,
      body: 'Service Unavailable'
    });
    peer.write(
      frame({ opcode: OPCODE.close, payload: Buffer.from([3, 233]), key: KEY })
    );
    expect(await result).toEqual({ closed: 1, terminated: 0 });
    expect(session.destroyed).toBe(false);
  });

  test('by a listener of "wsClientError"', async () => {
    const { wss, connect } = await serve();

    wss.on('wsClientError', (err, stream, request) => {
      stream.respond({ ':status': 418 });
      stream.end(`${err.message} on ${request.url}`);
    });

    expect(
      await refusal(connect(), { 'sec-websocket-version': '7' })
    ).toMatchObject({
      status: 418,
      body: 'Missing or invalid Sec-WebSocket-Version header on /'
    });
  });
});

describe('handleConnect()', () => {
  async function handle(wss, callback) {
    const { server, connect } = await listen(
      createServer({ settings: { enableConnectProtocol: true } })
    );

    server.on('stream', (stream, headers) => callback(stream, headers));
    return connect();
  }

  function create(options) {
    return trackWebSocketServer(
      new oxws.WebSocketServer({ noServer: true, ...options })
    );
  }

  test('answers what is no request for a WebSocket', async () => {
    const wss = create();
    const session = await handle(wss, (stream, headers) =>
      handleConnect(wss, stream, headers, () => {})
    );

    expect(
      await refusal(session, { ':protocol': 'connect-udp' })
    ).toMatchObject({ status: 501, body: 'Invalid :protocol pseudo-header' });

    const stream = session.request({ ':path': '/' });
    const [response] = await once(stream, 'response');

    expect(response[':status']).toBe(405);
    stream.resume();
  });

  test('chooses the server', async () => {
    const servers = { '/a': create(), '/b': create() };
    const opened = [];
    const session = await handle(null, (stream, headers) => {
      const path = headers[':path'];

      handleConnect(servers[path], stream, headers, (websocket, request) =>
        opened.push([servers[path].clients.has(websocket), request.url])
      );
    });

    await openStream(session, { ':path': '/b' });
    await openStream(session, { ':path': '/a' });
    expect(opened).toEqual([
      [true, '/b'],
      [true, '/a']
    ]);
  });

  test('goes through the methods of a subclass', async () => {
    const calls = [];

    class Server extends oxws.WebSocketServer {
      handleUpgrade(...args) {
        calls.push('handleUpgrade');
        super.handleUpgrade(...args);
      }

      completeUpgrade(...args) {
        calls.push('completeUpgrade');
        super.completeUpgrade(...args);
      }
    }

    class WebSocket extends oxws {
      setSocket(...args) {
        calls.push('setSocket');
        super.setSocket(...args);
      }
    }

    const wss = trackWebSocketServer(new Server({ noServer: true, WebSocket }));
    const session = await handle(wss, (stream, headers) =>
      handleConnect(wss, stream, headers, (ws) =>
        ws.on('message', () => ws.terminate())
      )
    );
    const { response, peer, stream } = await openStream(session);

    peer.write(frame({ opcode: OPCODE.text, key: KEY }));

    expect(response[':status']).toBe(200);
    expect(calls).toEqual(['handleUpgrade', 'completeUpgrade', 'setSocket']);
    await peer.closed;
    expect(stream.rstCode).toBe(8);
  });

  test('is for a stream once', async () => {
    const wss = create();
    let error;
    const session = await handle(wss, (stream, headers) => {
      handleConnect(wss, stream, headers, () => {});
      try {
        handleConnect(wss, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });
    const { response } = await openStream(session);

    expect(response[':status']).toBe(200);
    expect(error.message).toMatch(/called more than once/);
  });

  test('answers 500 for a function that throws', async () => {
    const wss = create({
      verifyClient() {
        throw new Error('verify');
      }
    });
    let error;
    const session = await handle(wss, (stream, headers) => {
      try {
        handleConnect(wss, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });

    expect(await refusal(session)).toMatchObject({ status: 500 });
    expect(error.message).toBe('verify');
  });

  test.each([
    ['a line break', 'X: a\r\nb', 'Invalid character in header "X: a\\r\\nb"'],
    ['no name', ':status: 201', 'Invalid header ":status: 201"']
  ])('lets no header with %s out', async (title, line, message) => {
    const wss = create();
    let error;

    wss.on('headers', (lines) => lines.push(line));

    const session = await handle(wss, (stream, headers) => {
      try {
        handleConnect(wss, stream, headers, () => {});
      } catch (err) {
        error = err;
      }
    });

    expect(await refusal(session)).toMatchObject({ status: 500 });
    expect(error).toEqual(new TypeError(message));
  });

  test('makes nothing of a client that has gone', async () => {
    let verify;
    const wss = create({
      verifyClient: (info, callback) => (verify = callback)
    });
    const opened = [];
    let serverStream;
    const session = await handle(wss, (stream, headers) => {
      serverStream = stream;
      handleConnect(wss, stream, headers, (ws) => opened.push(ws));
      client.close(8);
    });

    await once(session, 'remoteSettings');

    const client = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      'sec-websocket-version': '13'
    });

    await once(client, 'close');
    while (!serverStream.destroyed) await new Promise(setImmediate);
    verify(true);
    expect(opened).toEqual([]);
    expect(wss.clients.size).toBe(0);
  });

  test('takes nothing else', () => {
    const wss = create();

    expect(() => handleConnect({}, {}, {}, () => {})).toThrow(TypeError);
    for (const value of [undefined, null, {}, 'stream']) {
      expect(() => handleConnect(wss, value, {}, () => {})).toThrow(
        new TypeError('Expected a stream of a server of node:http2')
      );
      expect(() => serveHttp2(wss, value)).toThrow(
        new TypeError('Expected a server of node:http2')
      );
    }
    expect(() => serveHttp2(undefined, createServer())).toThrow(TypeError);
  });
});

describe('beside others', () => {
  test('HTTP/1.1 comes on the same port', async () => {
    const { wss, url } = await serve({}, createSecureServer());
    const versions = [];

    wss.on('connection', (websocket, request) => {
      versions.push(request.httpVersion);
      websocket.close(4000);
    });

    const client = trackWebSocket(
      new oxws(url.replace('http', 'ws'), { rejectUnauthorized: false })
    );

    expect(await onceClosed(client)).toEqual([4000, '']);
    expect(versions).toEqual(['1.1']);

    const request = https.get(url, { rejectUnauthorized: false });
    const [response] = await once(request, 'response');

    expect(String(await response.toArray())).toBe('plain');
  });

  test('plain requests and WebSockets share a session', async () => {
    const { wss, connect } = await serve({}, createSecureServer());
    const session = connect();
    const accepted = once(wss, 'connection');
    const { response, peer } = await openStream(session);
    const [websocket] = await accepted;
    const stream = session.request({ ':path': '/' });

    expect(response[':status']).toBe(200);
    expect(String(Buffer.concat(await stream.toArray()))).toBe('plain');
    websocket.send('still');
    expect(await peer.frame()).toMatchObject({ payload: Buffer.from('still') });
  });

  test('another CONNECT is refused as Node.js does', async () => {
    const { server, connect } = await serve({}, createSecureServer());
    const session = connect();
    const connectTo = async () => {
      const stream = session.request({
        ':method': 'CONNECT',
        ':authority': 'a.test:1'
      });
      const [response] = await once(stream, 'response');

      stream.resume();
      return response[':status'];
    };

    expect(await connectTo()).toBe(405);
    server.on('connect', (request, response) => {
      response.writeHead(502);
      response.end();
    });
    expect(await connectTo()).toBe(502);
  });

  test('it enables the protocol in the settings of each session', async () => {
    const { connect } = await serve(
      {},
      createServer({ settings: { initialWindowSize: 100_000 } })
    );
    const [settings] = await once(connect(), 'remoteSettings');

    expect(settings).toMatchObject({
      enableConnectProtocol: true,
      initialWindowSize: 100_000
    });
  });
});
