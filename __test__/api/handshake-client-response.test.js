'use strict';

const { once } = require('events');

const { dial, dialRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { headerOf, rawServer, switchingProtocols } = require('../support/raw');
const { trace } = require('../support/trace');
const { acceptOf } = require('../support/wire');

/**
 * Lets a raw server answer with `answer(head)` and waits until the client has
 * emitted 'close' and left the socket. Resolves what the client emitted.
 */
async function failWith({ lib, route }, answer, { protocols, options } = {}) {
  let onPeer;
  const asked = new Promise((resolve) => (onPeer = resolve));
  const { url } = await rawServer((peer, head) => {
    peer.write(answer(head));
    onPeer(peer);
  }, route);
  const client = dial({ WebSocket: lib, route }, url, protocols, options);
  const events = trace(client);

  await new Promise((resolve) => client.on('close', resolve));
  await asked.then((peer) => peer.ended);
  return events;
}

/** A 101 made of these lines and the right key. */
function response(lines) {
  return (head) =>
    ['HTTP/1.1 101 Switching Protocols', ...lines, '\r\n']
      .join('\r\n')
      .replace('ACCEPT', acceptOf(headerOf(head, 'sec-websocket-key')));
}

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade'];
const ACCEPT = 'Sec-WebSocket-Accept: ACCEPT';
const good = (...added) => response([...UPGRADE, ACCEPT, ...added]);

const refused = [
  [
    'another Upgrade',
    response(['Upgrade: h2c', 'Connection: Upgrade', ACCEPT]),
    'Invalid Upgrade header'
  ],
  [
    'no Upgrade',
    response(['Connection: Upgrade', ACCEPT]),
    'Unexpected server response: 101'
  ],
  [
    'no Connection',
    response(['Upgrade: websocket', ACCEPT]),
    'Unexpected server response: 101'
  ],
  [
    'a Connection without upgrade',
    response(['Upgrade: websocket', 'Connection: keep-alive', ACCEPT]),
    'Unexpected server response: 101'
  ],
  [
    'two Upgrades',
    response([...UPGRADE, 'Upgrade: websocket', ACCEPT]),
    'Invalid Upgrade header'
  ],
  ['no accept', response(UPGRADE), 'Invalid Sec-WebSocket-Accept header'],
  [
    'a wrong accept',
    response([
      ...UPGRADE,
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    ]),
    'Invalid Sec-WebSocket-Accept header'
  ],
  [
    'two accepts',
    response([...UPGRADE, ACCEPT, ACCEPT]),
    'Invalid Sec-WebSocket-Accept header'
  ],
  [
    'a subprotocol nobody asked for',
    good('Sec-WebSocket-Protocol: chat'),
    'Server sent a subprotocol but none was requested'
  ],
  [
    'an empty subprotocol nobody asked for',
    good('Sec-WebSocket-Protocol:'),
    'Server sent a subprotocol but none was requested'
  ],
  [
    'a subprotocol that was not offered',
    good('Sec-WebSocket-Protocol: other'),
    'Server sent an invalid subprotocol',
    { protocols: ['chat'] }
  ],
  [
    'a subprotocol in another case',
    good('Sec-WebSocket-Protocol: Chat'),
    'Server sent an invalid subprotocol',
    { protocols: ['chat'] }
  ],
  [
    'two subprotocols',
    good('Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: v2'),
    'Server sent an invalid subprotocol',
    { protocols: ['chat', 'v2'] }
  ],
  [
    'an empty subprotocol',
    good('Sec-WebSocket-Protocol:'),
    'Server sent an invalid subprotocol',
    { protocols: ['chat'] }
  ],
  [
    'no subprotocol',
    good(),
    'Server sent no subprotocol',
    { protocols: ['chat'] }
  ],
  [
    'an extension nobody asked for',
    good('Sec-WebSocket-Extensions: permessage-deflate'),
    'Server sent a Sec-WebSocket-Extensions header but no extension was ' +
      'requested',
    { options: { perMessageDeflate: false } }
  ],
  [
    'a malformed extension',
    good('Sec-WebSocket-Extensions: permessage-deflate; ='),
    'Invalid Sec-WebSocket-Extensions header'
  ],
  [
    'an empty extension header',
    good('Sec-WebSocket-Extensions:'),
    'Invalid Sec-WebSocket-Extensions header'
  ],
  [
    'an unknown extension',
    good('Sec-WebSocket-Extensions: x-unknown'),
    'Server indicated an extension that was not requested'
  ],
  [
    'a second extension',
    good('Sec-WebSocket-Extensions: permessage-deflate, x-unknown'),
    'Server indicated an extension that was not requested'
  ],
  [
    'an unknown parameter',
    good('Sec-WebSocket-Extensions: permessage-deflate; x'),
    'Invalid Sec-WebSocket-Extensions header'
  ],
  [
    'a window that is too small',
    good(
      'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7'
    ),
    'Invalid Sec-WebSocket-Extensions header'
  ],
  [
    'a parameter without its value',
    good(
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'
    ),
    'Invalid Sec-WebSocket-Extensions header'
  ],
  ['status 200', () => answer(200, 'OK'), 'Unexpected server response: 200'],
  ['status 301', () => answer(301, 'Moved'), 'Unexpected server response: 301'],
  ['status 401', () => answer(401, 'No'), 'Unexpected server response: 401'],
  ['status 426', () => answer(426, 'Up'), 'Unexpected server response: 426'],
  ['status 503', () => answer(503, 'Busy'), 'Unexpected server response: 503']
];

function answer(status, reason, body = 'body') {
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Location: ws://127.0.0.1:1/elsewhere',
    'Content-Type: text/plain',
    `Content-Length: ${body.length}`,
    '',
    body
  ].join('\r\n');
}

describeEach(routedImplementations, 'the client refuses', (row) => {
  test.each(refused)('%s', async (_, answerTo, message, setup = {}) => {
    const events = await failWith(row, answerTo, setup);

    expect(events.filter(({ event }) => event !== 'upgrade')).toEqual([
      { event: 'error', readyState: 2, class: 'Error', message },
      { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
    ]);
  });

  test('an upgrade to something else, and is closed when the socket is', async () => {
    const { lib, route } = row;
    const { url } = await rawServer((peer, head) => {
      peer.write(response(['Upgrade: x', 'Connection: Upgrade'])(head));
    }, route);
    const client = dial({ WebSocket: lib, route }, url);

    await expect(once(client, 'open')).rejects.toThrow(
      'Invalid Upgrade header'
    );
    expect(client.readyState).toBe(client.CLOSING);
    expect(await once(client, 'close')).toEqual([1006, Buffer.alloc(0)]);
  });
});

describeEach(routedImplementations, 'an answer that is not HTTP', (row) => {
  test.each([
    ['no status line', 'foo\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['an unknown version', 'HTTP/9.9 101 X\r\n\r\n', 'HPE_INVALID_VERSION'],
    ['a status of letters', 'HTTP/1.1 abc X\r\n\r\n', 'HPE_INVALID_STATUS'],
    [
      'a header name with a space',
      'HTTP/1.1 101 X\r\nA B: c\r\n\r\n',
      'HPE_INVALID_HEADER_TOKEN'
    ],
    [
      'more than 16 KiB of headers',
      `HTTP/1.1 101 X\r\nA: ${'b'.repeat(20000)}\r\n\r\n`,
      'HPE_HEADER_OVERFLOW'
    ]
  ])('%s ends with the error of the parser', async (_, text, code) => {
    const events = await failWith(row, () => text);

    expect(events).toMatchObject([
      { event: 'error', readyState: 2, code },
      { event: 'close', readyState: 3, code: 1006 }
    ]);
  });

  test.each([
    ['nothing', ''],
    ['half a status line', 'HTTP/1.1 10'],
    [
      'half a head',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
    ]
  ])('%s and then FIN is a hang up', async (_, text) => {
    const { lib, route } = row;
    const { url } = await rawServer((peer) => peer.socket.end(text), route);
    const client = dial({ WebSocket: lib, route }, url);
    const events = trace(client);

    await new Promise((resolve) => client.on('close', resolve));
    expect(events).toEqual([
      {
        event: 'error',
        readyState: 2,
        class: 'Error',
        message: 'socket hang up',
        code: 'ECONNRESET'
      },
      { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
    ]);
  });
});

describeEach(routedImplementations, 'the client accepts', (row) => {
  const { lib, route } = row;

  async function openWith(answerTo, { protocols, write } = {}) {
    const { url } = await rawServer((peer, head) => {
      if (write) write(peer, answerTo(head));
      else peer.write(answerTo(head));
    }, route);
    const client = dial({ WebSocket: lib, route }, url, protocols);

    await once(client, 'open');
    return client;
  }

  test.each([
    [
      'another case',
      response([
        'uPGRADE: WebSocket',
        'CONNECTION: uPGRADE',
        'sec-websocket-accept: ACCEPT'
      ])
    ],
    [
      'more in Connection',
      response(['Upgrade: websocket', 'Connection: foo, Upgrade', ACCEPT])
    ],
    ['no reason', (head) => good()(head).replace(' Switching Protocols', '')],
    [
      'an informational response first',
      (head) => `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${good()(head)}`
    ],
    [
      'headers of the server',
      good('Set-Cookie: a=1', 'Set-Cookie: b=2', 'Server: raw')
    ]
  ])('a 101 with %s', async (_, answerTo) => {
    expect((await openWith(answerTo)).readyState).toBe(1);
  });

  test('a 101 that comes byte by byte', async () => {
    const write = (peer, text) => peer.writeByteByByte(Buffer.from(text));

    expect((await openWith(switchingProtocols, { write })).readyState).toBe(1);
  });

  test('one of the subprotocols', async () => {
    const client = await openWith(good('Sec-WebSocket-Protocol: v2.chat'), {
      protocols: ['chat', 'v2.chat']
    });

    expect(client.protocol).toBe('v2.chat');
  });

  test('the extension it offered', async () => {
    const client = await openWith(
      good('Sec-WebSocket-Extensions: permessage-deflate')
    );

    expect(client.extensions).toBe('permessage-deflate');
  });

  test('a head that announces a body, and nothing of the request is left', async () => {
    const amounts = [];
    const { websocket, peer } = await dialRaw(
      row,
      {},
      {
        headers: ['Transfer-Encoding: chunked'],
        onWebSocket: (client) =>
          client.on('open', () => amounts.push(client.bufferedAmount))
      }
    );

    websocket._socket.write('bytes');
    expect((await peer.bytes(5)).toString()).toBe('bytes');
    expect(amounts).toEqual([0]);
  });
});

describeEach(
  routedImplementations,
  'a client that does not read the body of an answer',
  ({ lib, route }) => {
    test.each([
      ['whole', 'Content-Length: 2'],
      ['short', 'Content-Length: 20'],
      ['until the end', 'Connection: close']
    ])('lets its socket go with the server: %s', async (_, field) => {
      const { url } = await rawServer((peer) => {
        peer.socket.end(`HTTP/1.1 404 Not Found\r\n${field}\r\n\r\nno`);
      }, route);
      const client = dial({ WebSocket: lib, route }, url);

      client.on('error', () => {});

      const [request, answer] = await once(client, 'unexpected-response');
      const { socket } = answer;

      request.on('error', () => {});
      answer.on('error', () => {});
      if (!socket.closed) {
        await new Promise((resolve) => socket.on('close', resolve));
      }
      expect(socket.destroyed).toBe(true);
    });
  }
);
