'use strict';

const { once } = require('events');

const { connectHttp2 } = require('../../lib/extra');
const { oxws } = require('../support/implementations');
const { onRelease, trackWebSocket } = require('../support/resources');
const { onceClosed } = require('./support/connections');
const {
  createSecureServer,
  createServer,
  listen,
  openSession,
  serve
} = require('./support/http2');

/** A client over a session. */
function dial(session, url, ...rest) {
  return trackWebSocket(
    connectHttp2(session, url.replace('http', 'ws'), ...rest)
  );
}

/** The error with which it is given up, after which it is closed. */
async function failure(websocket) {
  const closed = new Promise((resolve) => websocket.on('close', resolve));
  const [err] = await once(websocket, 'error');
  const code = await closed;

  expect(code).toBe(1006);
  expect(websocket.readyState).toBe(websocket.CLOSED);
  return err.message;
}

/** A server that answers each request for a WebSocket by itself. */
async function answer(onStream) {
  const { server, ...listening } = await listen(
    createServer({ settings: { enableConnectProtocol: true } })
  );

  server.on('stream', onStream);
  return { server, ...listening };
}

describe('connectHttp2()', () => {
  test('opens a WebSocket of a client', async () => {
    const { wss, url, connect } = await serve(
      { perMessageDeflate: true, handleProtocols: () => 'b' },
      createSecureServer()
    );
    const accepted = once(wss, 'connection');
    const client = dial(connect(), `${url}/chat?a`, ['a', 'b'], {
      headers: {
        Cookie: ['a=1', 'b=2'],
        'X-Header': ' 1 ',
        'X-Number': 1,
        Connection: 'close'
      },
      origin: 'https://a.test',
      auth: 'me:secret'
    });
    let response;

    expect(client).toBeInstanceOf(oxws);
    expect(client.readyState).toBe(client.CONNECTING);
    expect(() => client.send('early')).toThrow(/not open/);
    client.on('upgrade', (message) => {
      response = message;
    });

    const [[server, request]] = await Promise.all([
      accepted,
      once(client, 'open')
    ]);

    expect([client.url, client.protocol, client.extensions]).toEqual([
      `${url.replace('http', 'ws')}/chat?a`,
      'b',
      'permessage-deflate'
    ]);
    expect([response.statusCode, response.httpVersion]).toEqual([200, '2.0']);
    expect(response.headers['sec-websocket-protocol']).toBe('b');
    expect(request.url).toBe('/chat?a');
    expect(request.headers).toMatchObject({
      ':scheme': 'https',
      ':authority': new URL(url).host,
      authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
      cookie: 'a=1; b=2',
      origin: 'https://a.test',
      'sec-websocket-version': '13',
      'x-header': '1',
      'x-number': '1'
    });
    expect(request.headers).not.toHaveProperty('connection');
    expect(request.headers).not.toHaveProperty('sec-websocket-key');

    server.on('message', (data, binary) => server.send(data, { binary }));
    client.send('text'.repeat(1000));
    expect(await once(client, 'message')).toEqual([
      Buffer.from('text'.repeat(1000)),
      false
    ]);
    client.send(Buffer.alloc(1 << 20, 7));

    const [bytes, isBinary] = await once(client, 'message');

    expect(bytes.equals(Buffer.alloc(1 << 20, 7))).toBe(true);
    expect(isBinary).toBe(true);
    client.ping('ping');
    expect(String(await once(client, 'pong'))).toBe('ping');

    const closes = Promise.all([onceClosed(server), onceClosed(client)]);

    client.close(4000, 'bye');
    expect(await closes).toEqual(Array(2).fill([4000, 'bye']));
  });

  test('several, on a session that connects only now', async () => {
    const { wss, url, connect } = await serve();
    const session = connect();
    const clients = Array.from({ length: 20 }, () => dial(session, url));

    expect(session.connecting).toBe(true);
    await Promise.all(clients.map((client) => once(client, 'open')));
    expect(wss.clients.size).toBe(20);
    // Nothing stays behind in it.
    expect(session.listenerCount('remoteSettings')).toBe(0);

    const closes = Promise.all(clients.map(onceClosed));

    for (const websocket of wss.clients) websocket.close(4001);
    expect(await closes).toEqual(Array(20).fill([4001, '']));
  });

  test('terminates both', async () => {
    const { wss, url, connect } = await serve();
    const session = connect();

    for (const end of ['client', 'server']) {
      const accepted = once(wss, 'connection');
      const client = dial(session, url);
      const [[server]] = await Promise.all([accepted, once(client, 'open')]);
      const closes = Promise.all([onceClosed(server), onceClosed(client)]);

      (end === 'client' ? client : server).terminate();
      expect(await closes).toEqual(Array(2).fill([1006, '']));
    }
    expect(session.destroyed).toBe(false);
  });

  test('closes when the server ends its stream, whatever is unsent', async () => {
    const { wss, url, connect } = await serve();
    const session = connect();
    const accepted = once(wss, 'connection');
    const client = dial(session, url);
    const [[server]] = await Promise.all([accepted, once(client, 'open')]);
    const closed = onceClosed(client);

    server.pause();
    client.send(Buffer.alloc(1 << 20));
    await new Promise((resolve) => session.ping(resolve));
    server._socket.destroy();
    expect(await closed).toEqual([1006, '']);
    expect(session.destroyed).toBe(false);
  });

  test('goes through setSocket() where that is patched', async () => {
    const { setSocket } = oxws.prototype;
    const { wss, url, connect } = await serve();
    const patched = jest.fn(setSocket);

    oxws.prototype.setSocket = patched;
    onRelease(() => {
      oxws.prototype.setSocket = setSocket;
    });

    const client = dial(connect(), url);
    const [server] = await once(wss, 'connection');

    if (client.readyState !== client.OPEN) await once(client, 'open');
    expect(patched.mock.calls.length).toBe(2);
    server.send('text');
    expect(String(await once(client, 'message'))).toBe('text,false');
  });
});

describe('it fails', () => {
  test('where the server has not enabled it', async () => {
    const { url, connect } = await listen(createServer());

    expect(await failure(dial(connect(), url))).toBe(
      'The server does not take WebSockets over HTTP/2'
    );
  });

  test('where the server enables it later only', async () => {
    const { server, url, connect } = await serve();
    const session = connect();

    await once(session, 'remoteSettings');
    server.updateSettings({ enableConnectProtocol: false });

    const other = connect();

    expect(await failure(dial(other, url))).toMatch(/does not take/);

    const client = dial(session, url);

    await once(client, 'open');
  });

  test('with the status of a refusal', async () => {
    const { url, connect } = await serve({ path: '/chat' });

    expect(await failure(dial(connect(), url))).toBe(
      'Unexpected server response: 400'
    );
  });

  test('as a listener of "unexpected-response" wants', async () => {
    const { url, connect } = await serve({
      verifyClient: (info, callback) =>
        callback(false, 403, 'no'.repeat(50_000), { 'X-Why': 'because' })
    });
    const client = dial(connect(), url);
    const [request, response] = await once(client, 'unexpected-response');

    expect([response.statusCode, response.httpVersion]).toEqual([403, '2.0']);
    expect(response.headers['x-why']).toBe('because');
    expect(String(Buffer.concat(await response.toArray()))).toBe(
      'no'.repeat(50_000)
    );
    expect(typeof request.close).toBe('function');

    const failed = failure(client);

    client.terminate();
    expect(await failed).toBe(
      'WebSocket was closed before the connection was established'
    );
  });

  test.each([
    [
      'a subprotocol that nobody asked for',
      [],
      {},
      { 'sec-websocket-protocol': 'a' },
      'Server sent a subprotocol but none was requested'
    ],
    ['no subprotocol', ['a'], {}, {}, 'Server sent no subprotocol'],
    [
      'an extension that nobody asked for',
      [],
      { perMessageDeflate: false },
      { 'sec-websocket-extensions': 'permessage-deflate' },
      'Server sent a Sec-WebSocket-Extensions header but no extension was ' +
        'requested'
    ]
  ])('with %s', async (title, protocols, options, headers, message) => {
    const codes = [];
    const { url, connect } = await answer((stream) => {
      stream.respond({ ':status': 200, ...headers });
      stream.resume();
      stream.on('close', () => codes.push(stream.rstCode));
    });
    const session = connect();

    expect(await failure(dial(session, url, protocols, options))).toBe(message);
    await new Promise((resolve) => session.ping(resolve));
    expect(codes).toEqual([8]);
  });

  test('in time', async () => {
    const { url, connect } = await answer(() => {});

    expect(await failure(dial(connect(), url, { handshakeTimeout: 50 }))).toBe(
      'Opening handshake has timed out'
    );
  });

  test('when it is closed before', async () => {
    const streams = [];
    const { url, connect } = await answer((stream) => streams.push(stream));
    const session = connect();
    const client = dial(session, url);
    const message =
      'WebSocket was closed before the connection was established';

    // Before there is a stream, and after.
    client.close();
    expect(await failure(client)).toBe(message);

    const other = dial(session, url);

    while (streams.length === 0) await new Promise(setImmediate);
    other.terminate();
    expect(await failure(other)).toBe(message);
    if (!streams[0].destroyed) await once(streams[0], 'close');
    expect(streams.map((stream) => stream.rstCode)).toEqual([8]);
  });

  test.each([
    ['CANCEL', 8, 'The stream was closed before it was open'],
    ['NO_ERROR', 0, 'The stream was closed before it was open'],
    [
      'REFUSED_STREAM',
      7,
      'Stream closed with error code NGHTTP2_REFUSED_STREAM'
    ]
  ])('when the server resets it with %s', async (name, code, message) => {
    const { url, connect } = await answer((stream) => {
      stream.on('error', () => {});
      stream.close(code);
    });

    expect(await failure(dial(connect(), url))).toBe(message);
  });

  test('with a session that ends, or has ended', async () => {
    const { server, url, connect } = await answer((stream) =>
      stream.session.destroy()
    );
    const session = connect();

    expect(await failure(dial(session, url))).toBe(
      'The stream was closed before it was open'
    );
    if (!session.destroyed) await once(session, 'close');
    expect(await failure(dial(session, url))).toBe(
      'The session has been destroyed'
    );

    const { port } = server.address();

    server.close();
    await once(server, 'close');

    const refused = openSession(`http://127.0.0.1:${port}`);

    expect(await failure(dial(refused, url))).toBe(
      'The session has been destroyed'
    );
  });

  test('with a header that is none, and the session goes on', async () => {
    const { url, connect } = await serve();
    const session = connect();

    expect(await failure(dial(session, url, { headers: { 'a b': '1' } }))).toBe(
      'Invalid header "a b: 1"'
    );
    expect(
      await failure(dial(session, url, { headers: { a: '1\r\nb: 2' } }))
    ).toBe('Invalid character in header "a: 1\\r\\nb: 2"');
    expect(
      await failure(dial(session, url, { headers: { a: undefined } }))
    ).toBe('Invalid value "undefined" for header "a"');
    expect(await failure(dial(session, url, { headers: { a: '一' } }))).toBe(
      'Invalid character in header content ["a"]'
    );
    expect(session.destroyed).toBe(false);
  });
});

test('an argument that makes no sense is an error at once', async () => {
  const { url, connect } = await serve();
  const session = connect();
  const call =
    (...args) =>
    () =>
      connectHttp2(...args);

  for (const value of [undefined, null, {}, url]) {
    expect(call(value, url)).toThrow(
      new TypeError('Expected a session of a client of node:http2')
    );
  }
  expect(call(session, 'nonsense')).toThrow(SyntaxError);
  expect(call(session, 'ftp://a.test')).toThrow(SyntaxError);
  expect(call(session, `${url}#hash`)).toThrow(SyntaxError);
  expect(call(session, 'ws+unix:/socket:/')).toThrow(SyntaxError);
  expect(call(session, url, ['a', 'a'])).toThrow(SyntaxError);
  expect(call(session, url, { protocolVersion: 7 })).toThrow(RangeError);
  for (const name of [
    'agent',
    'ca',
    'cert',
    'checkServerIdentity',
    'createConnection',
    'family',
    'finishRequest',
    'followRedirects',
    'key',
    'localAddress',
    'lookup',
    'maxRedirects',
    'rejectUnauthorized',
    'servername',
    'signal',
    'socketPath'
  ]) {
    expect(call(session, url, { [name]: true })).toThrow(
      new TypeError(`The option "${name}" is not for HTTP/2`)
    );
  }
  expect(call(session, url, { rejectUnauthorized: false })).toThrow(TypeError);
});

test('an option that says no to what is not for HTTP/2 is taken', async () => {
  const { url, connect } = await serve();
  const client = dial(connect(), url, {
    agent: false,
    ca: undefined,
    followRedirects: false,
    maxRedirects: 0,
    rejectUnauthorized: undefined
  });

  await once(client, 'open');
});
