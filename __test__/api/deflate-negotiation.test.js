'use strict';

const { once } = require('events');

const { connect, dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  pairs
} = require('../support/implementations');
const {
  headerOf,
  rawServer,
  rawSocket,
  switchingProtocols,
  upgradeRequest
} = require('../support/raw');

const D = 'permessage-deflate';
const NAME = 'Sec-WebSocket-Extensions';

/** `[options of the server, offer, answer; null: none; 400: refused]` */
const offers = [
  [true, D, D],
  [{}, D, D],
  [false, D, null],
  [true, 'x-other', null],
  [true, `x-other, ${D}`, D],
  [true, `${D}, ${D}; server_no_context_takeover`, D],
  [true, `${D}; client_max_window_bits`, D],
  [true, `${D}; client_max_window_bits=10`, `${D}; client_max_window_bits=10`],
  [true, `${D}; client_max_window_bits=8`, `${D}; client_max_window_bits=8`],
  [
    true,
    `${D}; client_max_window_bits="12"`,
    `${D}; client_max_window_bits=12`
  ],
  [true, `${D}; server_max_window_bits=10`, `${D}; server_max_window_bits=10`],
  [
    true,
    `${D}; server_no_context_takeover`,
    `${D}; server_no_context_takeover`
  ],
  [
    true,
    `${D}; client_no_context_takeover`,
    `${D}; client_no_context_takeover`
  ],
  [{ serverNoContextTakeover: true }, D, `${D}; server_no_context_takeover`],
  [{ clientNoContextTakeover: true }, D, `${D}; client_no_context_takeover`],
  [{ serverNoContextTakeover: false }, `${D}; server_no_context_takeover`, 400],
  [
    { serverNoContextTakeover: false },
    `${D}; server_no_context_takeover, ${D}`,
    D
  ],
  [{ serverMaxWindowBits: 10 }, D, `${D}; server_max_window_bits=10`],
  [
    { serverMaxWindowBits: 10 },
    `${D}; server_max_window_bits=12`,
    `${D}; server_max_window_bits=10`
  ],
  [{ serverMaxWindowBits: 12 }, `${D}; server_max_window_bits=10`, 400],
  [{ serverMaxWindowBits: false }, `${D}; server_max_window_bits=10`, 400],
  [{ clientMaxWindowBits: 10 }, D, 400],
  [
    { clientMaxWindowBits: 10 },
    `${D}; client_max_window_bits`,
    `${D}; client_max_window_bits=10`
  ],
  [
    { clientMaxWindowBits: 10 },
    `${D}; client_max_window_bits=12`,
    `${D}; client_max_window_bits=10`
  ],
  [{ clientMaxWindowBits: 12 }, `${D}; client_max_window_bits=10`, 400],
  [{ clientMaxWindowBits: false }, `${D}; client_max_window_bits`, D],
  [{ clientMaxWindowBits: true }, `${D}; client_max_window_bits`, D],
  [
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 11
    },
    `${D}; client_max_window_bits`,
    `${D}; client_max_window_bits=11; server_no_context_takeover; ` +
      'client_no_context_takeover; server_max_window_bits=9'
  ],
  [true, `${D}; unknown`, 400],
  [true, `${D}; unknown, ${D}`, 400],
  [true, `${D}; server_max_window_bits=07`, 400],
  [true, `${D}; server_max_window_bits=x`, 400],
  [true, `${D}; client_max_window_bits=16`, 400],
  [true, `${D}; client_no_context_takeover=1`, 400]
];

describeEach(implementations, 'a server with compression', ({ lib }) => {
  test.each(offers)('%j answers %s with %s', async (options, offer, answer) => {
    const { port } = await listen(lib, { perMessageDeflate: options });
    const peer = await rawSocket(port);

    peer.write(upgradeRequest({ headers: { [NAME]: offer } }));

    const head = await peer.head();

    if (answer === 400) {
      expect(head).toMatch(/^HTTP\/1\.1 400 /);
    } else {
      expect(head).toMatch(/^HTTP\/1\.1 101 /);
      expect(headerOf(head, NAME)).toBe(answer === null ? undefined : answer);
    }
  });

  test('knows the extension of the connection', async () => {
    const { wss, port } = await listen(lib, { perMessageDeflate: true });
    const peer = await rawSocket(port);
    const connected = once(wss, 'connection');

    peer.write(upgradeRequest({ headers: { [NAME]: D } }));
    expect((await connected)[0].extensions).toBe(D);
  });
});

/** `[options of the client, offer, answers it takes, answers it refuses]` */
const answers = [
  [
    true,
    `${D}; client_max_window_bits`,
    [
      D,
      `${D}; server_no_context_takeover`,
      `${D}; client_no_context_takeover`,
      `${D}; server_max_window_bits=8`,
      `${D}; client_max_window_bits=15`,
      `${D}, ${D}`
    ],
    [
      `${D}; client_max_window_bits`,
      `${D}; server_max_window_bits`,
      `${D}; server_max_window_bits=7`,
      `${D}; server_no_context_takeover; server_no_context_takeover`
    ]
  ],
  [
    { clientMaxWindowBits: 10 },
    `${D}; client_max_window_bits=10`,
    [D, `${D}; client_max_window_bits=9`, `${D}; client_max_window_bits=10`],
    [`${D}; client_max_window_bits=11`]
  ],
  [
    { clientMaxWindowBits: true },
    `${D}; client_max_window_bits`,
    [D, `${D}; client_max_window_bits=12`],
    []
  ],
  [{ clientMaxWindowBits: false }, D, [D], [`${D}; client_max_window_bits=12`]],
  [
    { clientNoContextTakeover: false },
    `${D}; client_max_window_bits`,
    [D],
    [`${D}; client_no_context_takeover`]
  ],
  [
    { serverNoContextTakeover: true, serverMaxWindowBits: 12 },
    `${D}; server_no_context_takeover; server_max_window_bits=12; ` +
      'client_max_window_bits',
    [D, `${D}; server_no_context_takeover; server_max_window_bits=11`],
    []
  ]
];

describeEach(implementations, 'a client with compression', ({ lib }) => {
  const cases = answers.flatMap(([options, offer, taken, refused]) => [
    ...taken.map((answer) => [options, offer, 'takes', answer]),
    ...refused.map((answer) => [options, offer, 'refuses', answer])
  ]);

  test.each(cases)('%j offers %s and %s %s', async (...row) => {
    const [options, offer, outcome, answer] = row;
    let offered;
    const { url } = await rawServer((peer, head) => {
      offered = headerOf(head, NAME);
      peer.write(switchingProtocols(head, [`${NAME}: ${answer}`]));
    });
    const client = dial({ WebSocket: lib }, url, [], {
      perMessageDeflate: options
    });

    if (outcome === 'takes') {
      await once(client, 'open');
      expect(client.extensions).toBe(D);
    } else {
      const [err] = await new Promise((resolve) => {
        client.on('error', (...args) => resolve(args));
      });

      expect(err.message).toBe('Invalid Sec-WebSocket-Extensions header');
    }
    expect(offered).toBe(offer);
  });
});

describeEach(pairs, 'both sides', (pair) => {
  test('name the extension they agree on', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: true }
    });

    expect([client.extensions, server.extensions]).toEqual([D, D]);
  });

  test.each([
    ['the server', { server: { perMessageDeflate: false } }],
    [
      'the client',
      {
        server: { perMessageDeflate: true },
        client: { perMessageDeflate: false }
      }
    ]
  ])('do without it when %s does not want it', async (_, setup) => {
    const { client, server } = await connect(pair, setup);

    expect([client.extensions, server.extensions]).toEqual(['', '']);
  });
});
