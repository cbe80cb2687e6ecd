'use strict';

const { once } = require('events');

const { shutdown } = require('../../lib/extra');
const { OPCODE, KEY, frame } = require('../support/wire');
const {
  createServer,
  openRaw,
  openStream,
  refusal,
  serve
} = require('./support/http2');

/** As it is read, a character for each byte. */
const inUtf8 = (value) => Buffer.from(value).toString('latin1');

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

  test.each([
    [{ 'content-type': 'text/plain' }, { 'content-type': 'text/plain' }],
    [{ 'CONTENT-LENGTH': 2 }, { 'content-length': '2' }],
    [{ Location: ['/a', '/b'] }, { location: '/a, /b' }],
    [
      { Via: '\u010d\u010a\u{1f980}' },
      { via: inUtf8('\u010d\u010a\u{1f980}') }
    ],
    [{ TE: 'gzip' }, { te: undefined }],
    [{ te: 'trailers' }, { te: 'trailers' }]
  ])('with the fields %j', async (headers, fields) => {
    const { connect } = await serve({
      verifyClient: (info, callback) => callback(false, 403, 'no', headers)
    });
    const { status, body, response } = await refusal(connect());

    expect([status, body]).toEqual([403, 'no']);
    expect({ te: undefined, ...response }).toMatchObject(fields);
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

describe('it is too late to refuse', () => {
  /** A request that waits for what `verifyClient` says. */
  async function ask() {
    const server = createServer();
    const connected = once(server, 'connection');
    let verify;
    const verifying = new Promise((resolve) => {
      verify = (...args) => resolve(args);
    });
    const { wss, connect } = await serve(
      { verifyClient: (info, callback) => verify(info, callback) },
      server
    );
    const session = connect();
    const answered = openStream(session);
    const [{ req }, answer] = await verifying;
    const [socket] = await connected;

    return { wss, session, socket, request: req, answered, answer };
  }

  test.each([
    ['stream', ({ request }) => request.destroy()],
    ['session', ({ session }) => session.destroy()],
    ['socket', ({ socket }) => socket.destroy()]
  ])('who has no %s any more', async (what, end) => {
    const asked = await ask();
    const { request, answered, answer } = asked;

    answered.catch(() => {});
    end(asked);
    answer(false, 403);
    if (!request.stream.closed) await once(request.stream, 'close');
    answer(false, 403);
  });

  test('who was refused', async () => {
    const { answered, answer } = await ask();

    answer(false, 403, 'no');
    answer(false, 404, 'again');

    const { peer, response } = await answered;

    expect(response[':status']).toBe(403);
    expect(String(await peer.rest())).toBe('no');
    await peer.closed;
    answer(false);
  });

  test('who was accepted', async () => {
    const { wss, answered, answer } = await ask();

    answer(true);
    answer(false);

    const { peer, response } = await answered;

    expect(response[':status']).toBe(200);
    for (const websocket of wss.clients) websocket.send('text');
    expect(await peer.frame()).toMatchObject({ payload: Buffer.from('text') });
  });
});
