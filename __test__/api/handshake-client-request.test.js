'use strict';

const { once } = require('events');
const fs = require('fs');
const http = require('http');
const net = require('net');
const os = require('os');
const path = require('path');

const { dial } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { headerOf, rawServer } = require('../support/raw');
const { onRelease, trackServer } = require('../support/resources');
const { parseHead } = require('../support/wire');

/** The head of the request that a client with these arguments sends. */
async function requestOf(row, { location = '', protocols, options = {} }) {
  const { WebSocket, route } = row;
  let onHead;
  const received = new Promise((resolve) => (onHead = resolve));
  const { port, url } = await rawServer((peer, head) => onHead(head), route);
  const { userinfo = '', path = '' } =
    typeof location === 'string' ? { path: location } : location;

  const address = url.replace('//', `//${userinfo}`) + path;

  dial({ WebSocket, route }, address, protocols, options);
  return (await received)
    .replace(/^(sec-websocket-key: ).*/im, '$1KEY')
    .replaceAll(String(port), 'PORT');
}

const EXTENSIONS =
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';
const UPGRADE = [
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: KEY',
  'Connection: Upgrade',
  'Upgrade: websocket'
];
const HOST = 'Host: 127.0.0.1:PORT';

const cases = [
  ['nothing but a URL', {}, [...UPGRADE, EXTENSIONS, HOST]],
  [
    'a path and a query',
    { location: 'a/b%20c?d=e&f' },
    [...UPGRADE, EXTENSIONS, HOST],
    '/a/b%20c?d=e&f'
  ],
  [
    'no compression',
    { options: { perMessageDeflate: false } },
    [...UPGRADE, HOST]
  ],
  [
    'all parameters of the compression',
    {
      options: {
        perMessageDeflate: {
          serverNoContextTakeover: true,
          clientNoContextTakeover: true,
          serverMaxWindowBits: 10,
          clientMaxWindowBits: 12
        }
      }
    },
    [
      ...UPGRADE,
      'Sec-WebSocket-Extensions: permessage-deflate; ' +
        'server_no_context_takeover; client_no_context_takeover; ' +
        'server_max_window_bits=10; client_max_window_bits=12',
      HOST
    ]
  ],
  [
    'one subprotocol',
    { protocols: 'chat' },
    [...UPGRADE, EXTENSIONS, 'Sec-WebSocket-Protocol: chat', HOST]
  ],
  [
    'several subprotocols',
    { protocols: ['chat', 'v2.chat'] },
    [...UPGRADE, EXTENSIONS, 'Sec-WebSocket-Protocol: chat,v2.chat', HOST]
  ],
  [
    'subprotocols among the options',
    { options: { protocols: ['chat', 'v2.chat'] } },
    [...UPGRADE, EXTENSIONS, 'Sec-WebSocket-Protocol: chat,v2.chat', HOST]
  ],
  [
    'an origin',
    { options: { origin: 'https://example.com' } },
    [...UPGRADE, EXTENSIONS, 'Origin: https://example.com', HOST]
  ],
  [
    'an origin in version 8',
    { options: { origin: 'https://example.com', protocolVersion: 8 } },
    [
      'Sec-WebSocket-Version: 8',
      ...UPGRADE.slice(1),
      EXTENSIONS,
      'Sec-WebSocket-Origin: https://example.com',
      HOST
    ]
  ],
  [
    'headers of the user, their case and repetitions',
    {
      options: {
        headers: {
          'X-Mixed-CASE': 'A value',
          'x-list': ['1', '2'],
          'x-number': 3
        }
      }
    },
    [
      'X-Mixed-CASE: A value',
      'x-list: 1',
      'x-list: 2',
      'x-number: 3',
      ...UPGRADE,
      EXTENSIONS,
      HOST
    ]
  ],
  [
    'a list of cookies',
    { options: { headers: { Cookie: ['a=1', 'b=2'] } } },
    ['Cookie: a=1; b=2', ...UPGRADE, EXTENSIONS, HOST]
  ],
  [
    'an empty list of cookies',
    { options: { headers: { Cookie: [] } } },
    [...UPGRADE, EXTENSIONS, HOST]
  ],
  [
    'a host of the user',
    { options: { headers: { Host: 'example.com' } } },
    ['Host: example.com', ...UPGRADE, EXTENSIONS]
  ],
  [
    'headers that the handshake decides itself',
    {
      options: {
        headers: { Upgrade: 'other', 'sec-websocket-version': '7', A: 'b' }
      }
    },
    [
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'A: b',
      'Sec-WebSocket-Key: KEY',
      'Connection: Upgrade',
      EXTENSIONS,
      HOST
    ]
  ],
  [
    'the option auth',
    { options: { auth: 'user:pass:word' } },
    [
      ...UPGRADE,
      EXTENSIONS,
      HOST,
      `Authorization: Basic ${btoa('user:pass:word')}`
    ]
  ],
  [
    'userinfo in the URL, percent-decoded, before the option auth',
    {
      location: { userinfo: 'us%40er:p%3Ass@' },
      options: { auth: 'other' }
    },
    [...UPGRADE, EXTENSIONS, HOST, `Authorization: Basic ${btoa('us@er:p:ss')}`]
  ],
  [
    'userinfo without a password',
    { location: { userinfo: 'user@' } },
    [...UPGRADE, EXTENSIONS, HOST, `Authorization: Basic ${btoa('user:')}`]
  ],
  [
    'an Authorization header before userinfo',
    {
      location: { userinfo: 'user:word@' },
      options: { headers: { authorization: 'Bearer token' } }
    },
    ['authorization: Bearer token', ...UPGRADE, EXTENSIONS, HOST]
  ]
];

for (const route of ['native', 'adopted', 'TLS']) {
  describeEach(implementations, `the request, ${route}`, ({ lib }) => {
    test.each(cases)('carries %s', async (_, setup, lines, target = '/') => {
      const head = await requestOf({ WebSocket: lib, route }, setup);

      expect(head.split('\r\n')).toEqual([
        `GET ${target} HTTP/1.1`,
        ...lines,
        '',
        ''
      ]);
    });
  });
}

describeEach(implementations, 'the Host header', ({ lib: WebSocket }) => {
  async function hostOf(address, options) {
    let onHead;
    const received = new Promise((resolve) => (onHead = resolve));
    const { port } = await rawServer((peer, head) => onHead(head));

    dial({ WebSocket }, address, [], {
      createConnection: () => net.connect(port, '127.0.0.1'),
      ...options
    });
    return headerOf(await received, 'host');
  }

  test.each([
    ['ws://example.com', {}, 'example.com'],
    ['ws://example.com:80', {}, 'example.com'],
    ['ws://example.com:8080', {}, 'example.com:8080'],
    ['ws://example.com:8080', { defaultPort: 8080 }, 'example.com'],
    ['wss://example.com', {}, 'example.com'],
    ['wss://example.com:80', {}, 'example.com:80'],
    ['ws://[2001:db8::1]:8080', {}, '[2001:db8::1]:8080'],
    ['ws://example.com', { setHost: false }, undefined]
  ])('for %s with %p is %p', async (address, options, host) => {
    expect(await hostOf(address, options)).toBe(host);
  });
});

describeEach(implementations, 'a ws+unix: URL', ({ lib: WebSocket }) => {
  async function requestLineOf(suffix) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
    const socketPath = path.join(directory, 'socket');
    const server = trackServer(net.createServer());

    onRelease(() => fs.rmSync(directory, { recursive: true, force: true }));
    server.listen(socketPath);
    await once(server, 'listening');

    const client = dial({ WebSocket }, `ws+unix:${socketPath}${suffix}`);
    const [socket] = await once(server, 'connection');
    const [chunk] = await once(socket, 'data');
    const head = parseHead(chunk).value;

    expect(client.url).toBe(`ws+unix:${socketPath}${suffix}`);
    expect(headerOf(head, 'host')).toBe('localhost');
    return head.split('\r\n')[0];
  }

  test.each([
    ['', 'GET / HTTP/1.1'],
    [':/', 'GET / HTTP/1.1'],
    [':/chat?room=1', 'GET /chat?room=1 HTTP/1.1'],
    [':/a:b:c', 'GET /a:b:c HTTP/1.1']
  ])('with the suffix %p asks for %p', async (suffix, line) => {
    expect(await requestLineOf(suffix)).toBe(line);
  });
});

describeEach(implementations, 'the hooks of the request', ({ lib }) => {
  test('finishRequest gets the request before it is sent', async () => {
    let onHead;
    const received = new Promise((resolve) => (onHead = resolve));
    const { url } = await rawServer((peer, head) => onHead(head));
    const finishRequest = jest.fn((request) => {
      setImmediate(() => {
        request.setHeader('X-Signed', 'yes');
        request.end();
      });
    });
    const client = dial({ WebSocket: lib }, url, [], { finishRequest });

    expect(finishRequest).toHaveBeenCalledTimes(1);
    expect(finishRequest.mock.calls[0][0]).toBeInstanceOf(http.ClientRequest);
    expect(finishRequest.mock.calls[0][1]).toBe(client);
    expect(headerOf(await received, 'x-signed')).toBe('yes');
  });

  test('an agent gets the request in the constructor', () => {
    const addRequest = jest.fn();
    const agent = new http.Agent();

    agent.addRequest = addRequest;
    dial({ WebSocket: lib }, 'ws://example.com/x', [], { agent });
    expect(addRequest).toHaveBeenCalledTimes(1);
    expect(addRequest.mock.calls[0][0].path).toBe('/x');
    expect(addRequest.mock.calls[0][0].getHeader('host')).toBe('example.com');
  });

  test('createConnection makes the socket', async () => {
    let onHead;
    const received = new Promise((resolve) => (onHead = resolve));
    const { port } = await rawServer((peer, head) => onHead(head));
    const createConnection = jest.fn(() => net.connect(port, '127.0.0.1'));

    dial({ WebSocket: lib }, 'ws://example.com:99/x', [], { createConnection });
    expect(await received).toMatch(/^GET \/x HTTP\/1\.1/);
    expect(createConnection.mock.calls[0][0]).toMatchObject({
      host: 'example.com',
      port: '99'
    });
  });
});
