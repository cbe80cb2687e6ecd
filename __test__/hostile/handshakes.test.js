'use strict';

const { once } = require('events');
const http = require('http');

const { dial } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { rawSocket, upgradeRequest } = require('../support/raw');
const { trackServer } = require('../support/resources');
const { frame, KEY, OPCODE } = require('../support/wire');
const { echoServer } = require('./support/echo-server');

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13'
];

/** A request that is an upgrade but for its first line or further lines. */
const request = (lines = [], start = 'GET / HTTP/1.1') =>
  [start, 'Host: a', ...UPGRADE, ...[lines].flat(), '\r\n'].join('\r\n');

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

/** The same bytes in every run, of all values. */
function noise(length) {
  let state = 1;

  return Buffer.from(
    times(length, () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state >> 16;
    })
  );
}

const extensions = (value) => request(`Sec-WebSocket-Extensions: ${value}`);
const protocols = (value) => request(`Sec-WebSocket-Protocol: ${value}`);

/** `[what, bytes]` by the status that answers them. */
const cases = {
  400: [
    ['noise', noise(1000)],
    ['NUL bytes', Buffer.alloc(100)],
    ['a TLS greeting', Buffer.from('160301020001000001fc0303', 'hex')],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method in small letters', request([], 'get / HTTP/1.1')],
    ['an unknown method', request([], 'FOO / HTTP/1.1')],
    ['an unknown version', request([], 'GET / HTTP/1.2')],
    ['a NUL in the target', request([], 'GET /\0 HTTP/1.1')],
    [
      'Latin-1 in the target',
      Buffer.from(request([], 'GET /\xe9 HTTP/1.1'), 'latin1')
    ],
    ['a NUL in a name', request('A\0: b')],
    ['a NUL in a value', request('A: b\0c')],
    ['a bell in a value', request('A: \x07')],
    ['DEL in a value', request('A: \x7f')],
    ['a space in front of a colon', request('A : b')],
    ['no name', request(': b')],
    ['no colon', request('A')],
    ['lines that end with LF', request().replace(/\r\n/g, '\n')],
    ['one line that ends with LF', request('A: b\nC: d')],
    ['one line that ends with CR', request('A: b\rC: d')],
    ['a folded line', request('A: b\r\n c')],
    ['a negative length', request('Content-Length: -5')],
    ['two lengths', request(['Content-Length: 5', 'Content-Length: 6'])],
    [
      'a length beyond all numbers',
      request(`Content-Length: ${'9'.repeat(20)}`)
    ],
    [
      'a length beside chunks',
      request(['Transfer-Encoding: chunked', 'Content-Length: 5'])
    ],
    ['chunks that are not the last', request('Transfer-Encoding: chunked, x')],
    ['two keys', request(UPGRADE[2])],
    ['two versions', request(UPGRADE[3])],
    ['two upgrades', request(UPGRADE[1])],
    ['a key of 15 KB', request().replace('dGhl', 'A'.repeat(15000))],
    ['a parameter __proto__', extensions('permessage-deflate; __proto__')],
    [
      'a parameter constructor',
      extensions('permessage-deflate; constructor=1')
    ],
    [
      'a parameter of the value __proto__',
      extensions('permessage-deflate; client_max_window_bits=__proto__')
    ],
    ['4000 parameters', extensions(`permessage-deflate${'; x'.repeat(4000)}`)],
    [
      'a quote that never ends',
      extensions(`permessage-deflate; a="${'b'.repeat(15000)}`)
    ],
    ['spaces between names', protocols(`x${' '.repeat(15000)}y`)],
    ['a subprotocol twice', protocols('__proto__, a, __proto__')],
    [
      'a subprotocol twice, in two lines',
      request(['Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: a'])
    ]
  ],
  405: [['a method that is not GET', request([], 'OPTIONS * HTTP/1.1')]],
  431: [
    ['a line of 20 KB', request(`A: ${'b'.repeat(20000)}`)],
    ['a target of 20 KB', request([], `GET /${'b'.repeat(20000)} HTTP/1.1`)]
  ],
  101: [
    ['HTTP/1.0', request([], 'GET / HTTP/1.0')],
    ['an absolute target', request([], 'GET http://a/b HTTP/1.1')],
    ['empty lines in front', `\r\n\r\n${request()}`],
    ['two hosts', request('Host: b')],
    ['900 headers', request(times(900, () => 'a:b'))],
    // Only the bytes of names and values count.
    ['17 KB of short lines', request(times(900, () => 'abcdef: ghijklmn'))],
    ['prototype names', request(['__proto__: x', 'constructor: y'])],
    ['a body', `${request('Content-Length: 5')}hello`],
    ['an expectation', request('Expect: 100-continue')],
    [
      'extensions with prototype names',
      extensions('__proto__, constructor; a, toString; b=c')
    ],
    ['7000 extensions', extensions(`x${',a'.repeat(7000)}`)],
    [
      '700 offers',
      extensions(`permessage-deflate${', permessage-deflate'.repeat(700)}`)
    ],
    ['7000 escapes', extensions(`x; a="${'\\b'.repeat(7000)}"`)],
    ['spaces in extensions', extensions(`x;${' '.repeat(15000)}y`)],
    ['2500 subprotocols', protocols(times(2500, (i) => i).join())],
    ['tabs behind a subprotocol', protocols(`x${'\t'.repeat(15000)}`)]
  ]
};

/** The same, but for a Node that takes 1000 headers at most: it answers 431. */
const long = [
  ['3000 headers', 101, request(times(3000, () => 'a:b'))],
  ['24 KB of short lines', 101, request(times(2000, () => 'a: bcdefgh'))],
  [
    'its upgrade behind 3000 headers',
    400,
    ['GET / HTTP/1.1', ...times(3000, () => 'a:b'), ...UPGRADE, '\r\n'].join(
      '\r\n'
    )
  ]
];

/** Whether this Node answers a request with 431, whatever its server does. */
async function isTooLong(bytes) {
  const server = http.createServer().on('upgrade', (_, socket) => socket.end());

  trackServer(server);
  await once(server.listen(0), 'listening');

  const peer = await rawSocket(server.address().port);

  peer.write(bytes);
  return String(await peer.rest()).startsWith('HTTP/1.1 431 ');
}

describeEach(routedImplementations, 'a server that is sent', (row) => {
  const rows = Object.entries(cases).flatMap(([status, list]) =>
    list.map(([what, bytes]) => [what, Number(status), bytes])
  );

  test.each(rows)('%s answers %d', async (_, status, bytes) => {
    const { port, serves } = await echoServer(row, { perMessageDeflate: true });
    const peer = await rawSocket(port, row.route);

    peer.write(bytes);
    expect(await peer.head()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 101) await peer.ended;
    await serves();
  });

  test.each(long)('%s answers %d if Node takes it', async (_, code, bytes) => {
    const status = (await isTooLong(bytes)) ? 431 : code;
    const { port, serves } = await echoServer(row);
    const peer = await rawSocket(port, row.route);

    peer.write(bytes);
    expect(await peer.head()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 101) await peer.ended;
    await serves();
  });

  test('names of prototypes as subprotocols takes them as names', async () => {
    const { wss, port } = await echoServer(row);
    const connected = once(wss, 'connection');
    const peer = await rawSocket(port, row.route);

    peer.write(protocols('__proto__, constructor, hasOwnProperty'));
    expect(await peer.head()).toContain(
      'Sec-WebSocket-Protocol: __proto__\r\n'
    );

    expect((await connected)[0].protocol).toBe('__proto__');
  });

  test.each([
    ['a header', 'GET / HTTP/1.1\r\nA: '],
    ['a target', 'GET /'],
    ['a name', 'GET / HTTP/1.1\r\n']
  ])('%s that never ends answers 431', async (_, start) => {
    const { port, serves } = await echoServer(row);
    const peer = await rawSocket(port, row.route);
    let isAnswered = false;
    const answer = peer.head().then((head) => {
      isAnswered = true;
      return head;
    });

    peer.write(start);
    while (!isAnswered && peer.socket.writable) {
      await new Promise((resolve) => {
        peer.socket.write('a'.repeat(1000), resolve);
      });
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 431 /);
    await serves();
  });

  test.each([
    ['half a method', 'GE'],
    ['half a head', 'GET / HTTP/1.1\r\nHo']
  ])('%s and FIN answers 400', async (_, bytes) => {
    const { port, serves } = await echoServer(row);
    const peer = await rawSocket(port, row.route);

    peer.write(bytes);
    peer.socket.end();
    expect(String(await peer.rest())).toMatch(/^HTTP\/1\.1 400 /);
    await serves();
  });

  test.each(['', 'GE', 'GET / HTTP/1.1\r\nHo', request()])(
    '%j and RST goes on',
    async (bytes) => {
      const { wss, port, serves } = await echoServer(row);
      const peer = await rawSocket(port, row.route);

      peer.write(bytes);
      if (bytes.endsWith('\r\n\r\n')) await peer.head();
      if (row.route === 'TLS') peer.socket.destroy();
      else peer.socket.resetAndDestroy();
      await serves();
      while (wss.clients.size > 0) await new Promise(setImmediate);
    }
  );

  test('frames behind the request reads them, those behind a refusal not', async () => {
    const { port, serves } = await echoServer(row);
    const ping = frame({ opcode: OPCODE.ping, payload: 'x', key: KEY });
    const good = await rawSocket(port, row.route);
    const bad = await rawSocket(port, row.route);

    good.write(request(), ping, ping);
    bad.write(request([], 'POST / HTTP/1.1'), ping, ping);
    expect(await good.head()).toMatch(/^HTTP\/1\.1 101 /);
    for (let index = 0; index < 2; index++) {
      expect(await good.frame()).toMatchObject({
        opcode: OPCODE.pong,
        payload: Buffer.from('x')
      });
    }
    expect(String(await bad.rest())).toMatch(
      /^HTTP\/1\.1 405 .*\r\n\r\nInvalid HTTP method$/s
    );
    await serves();
  });

  test('a request behind the request takes it for a frame', async () => {
    const { port, serves } = await echoServer(row);
    const peer = await rawSocket(port, row.route);

    peer.write(request(), request());
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 101 /);
    // 'G' is a fragment with RSV1.
    expect((await peer.frame()).payload.readUInt16BE(0)).toBe(1002);
    await serves();
  });

  test('pages of other sites keeps them out with verifyClient', async () => {
    const { port, url } = await echoServer(row, {
      verifyClient: ({ origin }) => origin === 'https://ours.example'
    });

    for (const [Origin, status] of [
      ['https://ours.example', 101],
      ['https://ours.example.evil.example', 401],
      ['null', 401],
      [undefined, 401]
    ]) {
      const peer = await rawSocket(port, row.route);

      peer.write(upgradeRequest({ headers: { Origin } }));
      expect(await peer.head()).toMatch(`HTTP/1.1 ${status} `);
    }

    const client = dial(
      { WebSocket: row.lib.WebSocket, route: row.route },
      url,
      [],
      { origin: 'https://ours.example' }
    );

    await once(client, 'open');
  });
});
