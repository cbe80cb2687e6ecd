'use strict';

/** Values of header fields that are looked at, the usual one first. */
const FIELDS = {
  Host: ['localhost', '', 'a b', 'ä', '[::1]:80'],
  Connection: [
    'Upgrade',
    'keep-alive, Upgrade',
    'upgrade',
    'UPGRADE ,close',
    'Upgrade,',
    'keep-alive\t,\tUpgrade',
    'close',
    'upgraded',
    ''
  ],
  Upgrade: [
    'websocket',
    'WebSocket',
    ' websocket\t ',
    'websocket, h2c',
    'h2c',
    'websocket/13',
    ''
  ]
};

const REQUEST_FIELDS = {
  ...FIELDS,
  'Sec-WebSocket-Key': [
    'dGhlIHNhbXBsZSBub25jZQ==',
    'dGhlIHNhbXBsZSBub25jZR==',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZQ== ',
    'dGhlIHNhbXBsZSBub25j_Q==',
    ''
  ],
  'Sec-WebSocket-Version': ['13', '8', '7', '013', '+13', '13, 8', '0xd', '']
};

const RESPONSE_FIELDS = {
  Connection: FIELDS.Connection,
  Upgrade: FIELDS.Upgrade,
  'Sec-WebSocket-Accept': ['<accept>', '<accept> ', 'x<accept>', '', 'wrong']
};

/** Fields that may be there as well. */
const PROTOCOLS = [
  'chat',
  'chat, b',
  'b,chat',
  'chat,chat',
  ',',
  'a b',
  '',
  'ä'
];
const EXTENSIONS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; server_max_window_bits=10; client_no_context_takeover',
  'permessage-deflate; server_max_window_bits=7',
  'permessage-deflate; server_no_context_takeover=1',
  'permessage-deflate; mode=1, permessage-deflate',
  'foo; bar="b\\az", permessage-deflate',
  'foo',
  'foo;',
  'x="y',
  ''
];
const MORE = [
  ...PROTOCOLS.map((value) => ['Sec-WebSocket-Protocol', value]),
  ...EXTENSIONS.map((value) => ['Sec-WebSocket-Extensions', value]),
  ['Origin', 'http://example.com'],
  ['Cookie', 'a=1; b=2'],
  ['Cookie', 'c=3'],
  ['Set-Cookie', 'a=1'],
  ['__proto__', 'x'],
  ['constructor', 'y'],
  ['X-Latin', 'caf\xe9 \xff'],
  ['X-Spaces', ' \t a \t b \t '],
  ['X-Long', 'x'.repeat(3000)],
  ['X-Empty', ''],
  ['Content-Length', '0'],
  ['Content-Length', '4'],
  ['Content-Length', '-1'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'gzip'],
  ['Expect', '100-continue'],
  ['Trailer', 'x'],
  ['Keep-Alive', 'timeout=5'],
  ['Location', '/elsewhere'],
  ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT']
];

const REQUEST_LINES = [
  'GET / HTTP/1.1',
  'GET /chat?a=1#b HTTP/1.1',
  'GET //x/%zz HTTP/1.1',
  'GET http://localhost/x HTTP/1.1',
  'GET /\xe9 HTTP/1.1',
  'GET * HTTP/1.1',
  'GET x HTTP/1.1',
  'GET /  HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET /',
  'GET / HTTP/1.0',
  'GET / HTTP/2.0',
  'GET / HTTP/1.1 ',
  'get / HTTP/1.1',
  'POST / HTTP/1.1',
  'HEAD / HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT localhost:80 HTTP/1.1',
  'PRI * HTTP/2.0'
];

const STATUS_LINES = [
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 101 ',
  'HTTP/1.1 101',
  'HTTP/1.1 101 caf\xe9',
  'HTTP/1.0 101 Switching Protocols',
  'HTTP/1.1 100 Continue',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 302 Found',
  'HTTP/1.1 400 Bad Request',
  'HTTP/1.1 999 What',
  'HTTP/1.1 1010 Long',
  'HTTP/1.1  101 Space',
  'ICY 101 OK',
  'HTTP/2 101 OK'
];

/** What can be wrong with a line. */
const FLAWS = [
  (line) => line.replace(':', ' :'),
  (line) => line.replace(':', ''),
  (line) => ` ${line}`,
  (line) => `${line}\0`,
  (line) => `${line}\x7f`,
  (line) => `${line}\r`,
  (line) => `${line}\r\n folded`,
  (line) => line.replace(/^[^:]*/, ''),
  (line) => line.replace(/^[^:]*/, 'b@d'),
  (line) => line.toLowerCase(),
  (line) => line.toUpperCase()
];

/** A head as a Latin-1 string: mostly in order but for one or two things. */
function headOf(random, lines, fields) {
  // A head in order is taken by other code than one with a flaw.
  const isGood = random.oneIn(3);
  const unusual = isGood ? () => false : () => random.oneIn(6);
  const choose = (list) => (unusual() ? random.pick(list) : list[0]);
  const head = [choose(lines)];

  for (const [name, values] of Object.entries(fields)) {
    if (!isGood && random.oneIn(15)) continue;
    head.push(`${name}: ${choose(values)}`);
    if (!isGood && random.oneIn(20))
      head.push(`${name}: ${random.pick(values)}`);
  }
  for (let count = random.below(4); count > 0; count--) {
    const [name, value] = random.pick(isGood ? MORE.slice(0, 24) : MORE);

    head.splice(1 + random.below(head.length), 0, `${name}: ${value}`);
  }
  if (!isGood && random.oneIn(3)) {
    const index = random.below(head.length);

    head[index] = random.pick(FLAWS)(head[index]);
  }
  if (!isGood && random.oneIn(40)) {
    for (let index = 0; index < 1100; index++) head.push(`X-${index}: x`);
  }

  const end = !isGood && random.oneIn(20) ? '\n' : '\r\n';

  return head.join(end) + end + end;
}

const requestOf = (random) => headOf(random, REQUEST_LINES, REQUEST_FIELDS);
const responseOf = (random) => headOf(random, STATUS_LINES, RESPONSE_FIELDS);

module.exports = { requestOf, responseOf };
