'use strict';

const http = require('http');

const { listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations
} = require('../support/implementations');
const { rawSocket, upgradeRequest } = require('../support/raw');

const KEY_ERROR = 'Missing or invalid Sec-WebSocket-Key header';
const VERSION_ERROR = 'Missing or invalid Sec-WebSocket-Version header';
const VERSIONS = { 'Sec-WebSocket-Version': '13, 8' };
const EXTENSION_ERROR =
  'Invalid or unacceptable Sec-WebSocket-Extensions header';

/** `[what, request, status, body, added response headers, server options]` */
const rejected = [
  ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'].map((method) => [
    `method ${method}`,
    { method },
    405,
    'Invalid HTTP method'
  ]),
  ...['foo', 'websocket, foo', 'websocket2', 'h2c'].map((value) => [
    `Upgrade ${value}`,
    { headers: { Upgrade: value } },
    400,
    'Invalid Upgrade header'
  ]),
  ...[
    undefined,
    '',
    'P5l8BJcZwRc=',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZQ===',
    'dGhlIHNhbXBsZSBub25j!Q==',
    'dGhlIHNhbXBsZSBub25jZQ== x'
  ].map((value) => [
    `key ${value}`,
    { headers: { 'Sec-WebSocket-Key': value } },
    400,
    KEY_ERROR
  ]),
  ...[undefined, '', '7', '9', '12', '14', '13, 8', 'x', '-13'].map((value) => [
    `version ${value}`,
    { headers: { 'Sec-WebSocket-Version': value } },
    400,
    VERSION_ERROR,
    VERSIONS
  ]),
  ...['', ' ', ',', 'a,', ',a', 'a,,b', 'a b', 'a,a', 'a/b', '"a"'].map(
    (value) => [
      `subprotocols ${JSON.stringify(value)}`,
      { headers: { 'Sec-WebSocket-Protocol': value } },
      400,
      'Invalid Sec-WebSocket-Protocol header'
    ]
  ),
  ...[
    '',
    ';',
    ',',
    'permessage-deflate;',
    'permessage-deflate; =',
    'permessage-deflate; a="',
    'permessage-deflate; x',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; client_max_window_bits=x',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; client_max_window_bits; client_max_window_bits'
  ].map((value) => [
    `extensions ${JSON.stringify(value)}`,
    { headers: { 'Sec-WebSocket-Extensions': value } },
    400,
    EXTENSION_ERROR,
    {},
    { perMessageDeflate: true }
  ]),
  ['another path', { path: '/other' }, 400, 'Bad Request', {}, { path: '/' }],
  [
    'a client that is not verified',
    {},
    401,
    'Unauthorized',
    {},
    { verifyClient: () => false }
  ]
];

function responseOf(status, body, headers = {}) {
  const fields = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': body.length,
    ...headers
  };

  return [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    '',
    body
  ].join('\r\n');
}

describeEach(routedImplementations, 'a rejected upgrade', (row) => {
  const { lib, route } = row;

  test.each(rejected)(
    '%s',
    async (_, request, status, body, headers = {}, options = {}) => {
      const onConnection = jest.fn();
      const { wss, port } = await listen({ ...lib, route }, options);
      const peer = await rawSocket(port, route);

      wss.on('connection', onConnection);
      peer.write(upgradeRequest(request));
      expect((await peer.rest()).toString()).toBe(
        responseOf(status, body, headers)
      );
      expect(onConnection).not.toHaveBeenCalled();
      await peer.closed;
    }
  );

  test('takes the first fault there is', async () => {
    const { port } = await listen({ ...lib, route });
    const peer = await rawSocket(port, route);

    peer.write(
      upgradeRequest({
        headers: { 'Sec-WebSocket-Key': 'x', 'Sec-WebSocket-Version': '1' }
      })
    );
    expect((await peer.rest()).toString()).toBe(responseOf(400, KEY_ERROR));
  });

  test("is left to a 'wsClientError' listener", async () => {
    const { wss, port } = await listen({ ...lib, route });
    const peer = await rawSocket(port, route);
    const seen = [];

    wss.on('wsClientError', (err, socket, request) => {
      seen.push([err.message, err instanceof Error, request.url]);
      expect(request.socket).toBe(socket);
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    peer.write(
      upgradeRequest({ path: '/x', headers: { 'Sec-WebSocket-Key': 'x' } })
    );
    expect((await peer.rest()).toString()).toBe(
      'HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n'
    );
    expect(seen).toEqual([[KEY_ERROR, true, '/x']]);
  });

  test.each([
    ['another path', { path: '/x' }, '400'],
    ['a refusal of verifyClient', { verifyClient: () => false }, '401']
  ])("'wsClientError' is not for %s", async (_, options, status) => {
    const { wss, port } = await listen({ ...lib, route }, options);
    const peer = await rawSocket(port, route);
    const onError = jest.fn();

    wss.on('wsClientError', onError);
    peer.write(upgradeRequest());
    expect((await peer.rest()).toString().split(' ')[1]).toBe(status);
    expect(onError).not.toHaveBeenCalled();
  });

  test('comes byte by byte too', async () => {
    const { port } = await listen({ ...lib, route });
    const peer = await rawSocket(port, route);

    await peer.writeByteByByte(
      Buffer.from(upgradeRequest({ headers: { Upgrade: 'x' } }))
    );
    expect((await peer.rest()).toString()).toBe(
      responseOf(400, 'Invalid Upgrade header')
    );
  });
});

describeEach(routedImplementations, 'an accepted upgrade', (row) => {
  test.each([
    ['version 8', { 'Sec-WebSocket-Version': '8' }],
    ['a version with a zero', { 'Sec-WebSocket-Version': '013' }],
    ['another case', { Upgrade: 'WebSocket', Connection: 'upgrade' }],
    ['more in Connection', { Connection: 'keep-alive, Upgrade' }],
    ['no Host', { Host: undefined }],
    ['unknown extensions', { 'Sec-WebSocket-Extensions': 'x-foo; y=1' }],
    ['headers of its own', { Cookie: 'a=1', 'X-A': 'b', Origin: 'null' }],
    ['many headers', Object.fromEntries(headersNamed('X-', 500))],
    ['an empty line of headers', { 'X-Empty': '' }]
  ])('may have %s', async (_, headers) => {
    const { peer } = await serveRaw(row, {}, { request: { headers } });

    expect(peer.response).toBe(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        '\r\n'
      ].join('\r\n')
    );
  });

  test('has its parts in any segments', async () => {
    const { lib, route } = row;
    const { port } = await listen({ ...lib, route });
    const peer = await rawSocket(port, route);

    await peer.writeByteByByte(Buffer.from(upgradeRequest()));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 101 /);
  });

  function headersNamed(prefix, count) {
    return Array.from({ length: count }, (_, index) => [prefix + index, 'v']);
  }
});

describeEach(implementations, 'a request without upgrade', ({ lib }) => {
  const PLAIN = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  test('is answered with 426', async () => {
    const { port } = await listen(lib);
    const response = await fetch(`http://127.0.0.1:${port}/path`, {
      headers: { connection: 'close' }
    });

    expect(response.status).toBe(426);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('content-length')).toBe('16');
    expect(await response.text()).toBe('Upgrade Required');
  });

  test('leaves the connection to a second request and an upgrade', async () => {
    const { wss, port } = await listen(lib);
    const peer = await rawSocket(port);

    for (let index = 0; index < 2; index++) {
      peer.write(PLAIN);
      expect(await peer.head()).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
      expect(String(await peer.bytes(16))).toBe('Upgrade Required');
    }
    peer.write(upgradeRequest());
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(wss.clients.size).toBe(1);
  });

  test('may have a body', async () => {
    const { port } = await listen(lib);
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: 'x'.repeat(100000),
      headers: { connection: 'close' }
    });

    expect(response.status).toBe(426);
    expect(await response.text()).toBe('Upgrade Required');
  });

  test.each([
    ['no HTTP', 'foo\r\n\r\n', '400 Bad Request'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['a bad header', 'GET / HTTP/1.1\r\nA B\r\n\r\n', '400 Bad Request'],
    [
      'too many bytes of headers',
      `GET / HTTP/1.1\r\nA: ${'b'.repeat(20000)}\r\n\r\n`,
      '431 Request Header Fields Too Large'
    ]
  ])('is refused with %s', async (_, text, status) => {
    const { port } = await listen(lib);
    const peer = await rawSocket(port);

    peer.write(text);
    expect((await peer.rest()).toString()).toMatch(
      `HTTP/1.1 ${status}\r\nConnection: close\r\n`
    );
  });
});
