'use strict';

const { once } = require('events');
const http = require('http');
const https = require('https');

const { serveHttp2 } = require('../../lib/extra');
const { implementations, oxws } = require('../support/implementations');
const {
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { OPCODE, KEY, frame } = require('../support/wire');
const { anotherCopy, onceClosed } = require('./support/connections');
const {
  createSecureServer,
  createServer,
  openRaw,
  openStream,
  serve
} = require('./support/http2');

/** Values in characters of two to four bytes; those of one byte would be others. */
const FOREIGN = [
  ['x-two', 'Zo\xeb'],
  ['x-three', '\u010d\u010ax-evil: 1'],
  ['x-four', '\u{1f980}']
];

/** As they are read, a character for each byte. */
const inUtf8 = (value) => Buffer.from(value).toString('latin1');

/** What a client of HTTP/1.1 reads of them. */
async function overHttp1({ WebSocketServer, WebSocket }, { isAccepted }) {
  const wss = trackWebSocketServer(
    new WebSocketServer({
      port: 0,
      verifyClient: (info, callback) =>
        callback(isAccepted, 403, 'no', Object.fromEntries(FOREIGN))
    })
  );

  wss.on('headers', (lines) => {
    for (const [name, value] of FOREIGN) lines.push(`${name}: ${value}`);
  });
  await once(wss, 'listening');

  const client = trackWebSocket(
    new WebSocket(`ws://127.0.0.1:${wss.address().port}`)
  );

  if (isAccepted) return (await once(client, 'upgrade'))[0].headers;

  const [request, response] = await once(client, 'unexpected-response');

  request.destroy();
  return response.headers;
}

describe.each([
  ['accepted', true],
  ['refused', false]
])('where it is %s', (title, isAccepted) => {
  test.each(implementations)(
    'fields are in UTF-8 over HTTP/1.1 ($name)',
    async ({ lib }) => {
      const headers = await overHttp1(
        { WebSocketServer: lib.WebSocketServer, WebSocket: lib },
        { isAccepted }
      );

      for (const [name, value] of FOREIGN) {
        expect(headers[name]).toBe(inUtf8(value));
      }
    }
  );
});

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
      lines.push('Age: 1', 'age: 2', 'TE: gzip');
      lines.push('X-A: \t a b \t ', 'X-B: \xa0', 'X-C:', 'X-D:  ');
      for (const [name, value] of FOREIGN) lines.push(`${name}: ${value}`);
    });

    const { response } = await openStream(connect());

    expect(first).toEqual(['HTTP/2 200', '2.0']);
    expect(response['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(response.age).toBe('1, 2');
    expect(response).toMatchObject({
      'x-a': 'a b',
      'x-b': inUtf8('\xa0'),
      'x-c': '',
      'x-d': '',
      ...Object.fromEntries(
        FOREIGN.map(([name, value]) => [name, inUtf8(value)])
      )
    });
    expect(response).not.toHaveProperty('connection');
    expect(response).not.toHaveProperty('te');
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

  describe('another CONNECT', () => {
    const connects = [
      [{ ':authority': 'a.test:1' }, 405, 'Invalid HTTP method'],
      [
        { ':protocol': 'connect-udp', ':path': '/' },
        501,
        'Invalid :protocol pseudo-header'
      ]
    ];

    async function connectTo(session, headers) {
      const stream = session.request({ ':method': 'CONNECT', ...headers });
      const [response] = await once(stream, 'response');
      const body = String(Buffer.concat(await stream.toArray()));

      return [response[':status'], body];
    }

    /** What each of them is answered with. */
    async function answers(session) {
      if (!session.remoteSettings.enableConnectProtocol) {
        await once(session, 'remoteSettings');
      }

      return Promise.all(
        connects.map(([headers]) => connectTo(session, headers))
      );
    }

    const refusals = connects.map(([, ...refusal]) => refusal);

    test.each([
      ['only WebSockets', createServer],
      ['plain requests, too', createSecureServer]
    ])('is refused by a server of %s', async (title, create) => {
      const { connect } = await serve({}, create());

      expect(await answers(connect())).toEqual(refusals);
    });

    describe.each([
      ['one copy', () => ({ WebSocket: oxws, extra: { serveHttp2 } })],
      ['two copies', anotherCopy]
    ])('by two of %s', (copies, getOther) => {
      test.each([
        ['only WebSockets', createServer],
        ['plain requests, too', createSecureServer]
      ])('is refused on a server of %s', async (title, create) => {
        const { WebSocket, extra } = getOther();
        const { server, connect } = await serve({}, create());

        extra.serveHttp2(
          trackWebSocketServer(new WebSocket.Server({ noServer: true })),
          server
        );
        expect(await answers(connect())).toEqual(refusals);
      });
    });

    test.each([
      ['"connect"', createSecureServer, 'connect', (request) => request.stream],
      ['"stream"', createServer, 'stream', (stream) => stream]
    ])('is for another listener of %s', async (title, create, event, of) => {
      const { server, connect } = await serve({}, create());
      const session = connect();

      server.on(event, (...args) => {
        of(...args).respond({ ':status': 502 });
        of(...args).end('theirs');
      });
      expect(await answers(session)).toEqual(Array(2).fill([502, 'theirs']));
    });

    test('is an error for a listener of "wsClientError"', async () => {
      const { wss, connect } = await serve();

      wss.on('wsClientError', (err, stream, request) => {
        stream.respond({ ':status': 418 });
        stream.end(`${err.message} for ${request.url}`);
      });
      expect(await answers(connect())).toEqual([
        [418, 'Invalid HTTP method for a.test:1'],
        [418, 'Invalid :protocol pseudo-header for /']
      ]);
    });

    test('over HTTP/1.1 closes', async () => {
      const { url } = await serve({}, createSecureServer());
      const request = https.request(url, {
        method: 'CONNECT',
        path: 'a.test:1',
        rejectUnauthorized: false
      });

      request.end();

      const [err] = await once(request, 'error');

      expect(err.code).toBe('ECONNRESET');
    });
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
