'use strict';

const {
  describeEach,
  implementations,
  oxws
} = require('../support/implementations');
const { thrown } = require('../support/trace');

describeEach(implementations, 'PerMessageDeflate.offer()', ({ lib }) => {
  test.each([
    [undefined, { client_max_window_bits: true }],
    [{}, { client_max_window_bits: true }],
    [
      {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 11
      },
      {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 10,
        client_max_window_bits: 11
      }
    ],
    [{ clientMaxWindowBits: false }, {}],
    [
      { serverMaxWindowBits: 15 },
      {
        server_max_window_bits: 15,
        client_max_window_bits: true
      }
    ]
  ])('with %j', (options, offer) => {
    expect(new lib.PerMessageDeflate(options).offer()).toEqual(offer);
  });
});

describeEach(implementations, 'PerMessageDeflate.accept()', ({ lib }) => {
  const { PerMessageDeflate } = lib;

  test.each([
    [{ unknown: [true] }, 'Unknown parameter "unknown"'],
    [
      { server_no_context_takeover: [true, true] },
      'Parameter "server_no_context_takeover" must have only a single value'
    ],
    [
      { server_no_context_takeover: [10] },
      'Invalid value for parameter "server_no_context_takeover": 10'
    ],
    [
      { client_no_context_takeover: ['x'] },
      'Invalid value for parameter "client_no_context_takeover": x'
    ],
    [
      { server_max_window_bits: [7] },
      'Invalid value for parameter "server_max_window_bits": 7'
    ],
    [
      { server_max_window_bits: [true] },
      'Invalid value for parameter "server_max_window_bits": true'
    ],
    [
      { client_max_window_bits: [16] },
      'Invalid value for parameter "client_max_window_bits": 16'
    ]
  ])('refuses %j on both sides', (parameters, message) => {
    for (const isServer of [false, true]) {
      const deflate = new PerMessageDeflate({ isServer });
      const offers = [structuredClone(parameters)];

      expect(thrown(() => deflate.accept(offers)).message).toBe(message);
    }
  });

  test.each([
    [
      { clientNoContextTakeover: false },
      { client_no_context_takeover: [true] },
      'Unexpected parameter "client_no_context_takeover"'
    ],
    [
      { clientMaxWindowBits: false },
      { client_max_window_bits: [10] },
      'Unexpected or invalid parameter "client_max_window_bits"'
    ],
    [
      { clientMaxWindowBits: 10 },
      { client_max_window_bits: [11] },
      'Unexpected or invalid parameter "client_max_window_bits"'
    ]
  ])('with %j refuses the answer %j', (options, parameters, message) => {
    const deflate = new PerMessageDeflate(options);

    expect(thrown(() => deflate.accept([parameters])).message).toBe(message);
  });

  test.each([
    [
      { serverNoContextTakeover: false },
      { server_no_context_takeover: [true] }
    ],
    [{ serverMaxWindowBits: false }, { server_max_window_bits: [10] }],
    [{ serverMaxWindowBits: 11 }, { server_max_window_bits: [10] }],
    [{ clientMaxWindowBits: 10 }, {}],
    [{ clientMaxWindowBits: 11 }, { client_max_window_bits: [10] }]
  ])('with %j refuses the offer %j', (options, parameters) => {
    const deflate = new PerMessageDeflate({ ...options, isServer: true });

    expect(thrown(() => deflate.accept([parameters])).message).toBe(
      'None of the extension offers can be accepted'
    );
  });

  test('takes the first offer that suits', () => {
    const deflate = new PerMessageDeflate({
      isServer: true,
      serverMaxWindowBits: 11
    });

    expect(
      deflate.accept([
        { server_max_window_bits: ['10'] },
        { server_max_window_bits: ['12'], client_max_window_bits: [true] }
      ])
    ).toEqual({ server_max_window_bits: 11 });
    expect(deflate.params).toEqual({ server_max_window_bits: 11 });
  });

  test('takes the answer of a server', () => {
    const deflate = new PerMessageDeflate({ clientMaxWindowBits: 12 });

    expect(
      deflate.accept([
        {
          server_no_context_takeover: [true],
          server_max_window_bits: ['9'],
          client_max_window_bits: ['10']
        }
      ])
    ).toEqual({
      server_no_context_takeover: true,
      server_max_window_bits: 9,
      client_max_window_bits: 10
    });
  });
});

describeEach(implementations, 'PerMessageDeflate', ({ lib }) => {
  const { PerMessageDeflate } = lib;

  /** A server's and a client's half that agree. */
  function halves(options = {}, parameters = {}) {
    const server = new PerMessageDeflate({
      threshold: 0,
      isServer: true,
      ...options
    });
    const client = new PerMessageDeflate({ threshold: 0, ...options });

    // accept() changes what it is given.
    server.accept([structuredClone(parameters)]);
    client.accept([structuredClone(parameters)]);
    return { server, client };
  }

  const call = (half, method, data, fin = true) =>
    new Promise((resolve, reject) => {
      half[method](data, fin, (err, result) =>
        err ? reject(err) : resolve(result)
      );
    });

  test.each([
    ['text', 'Hello'],
    ['nothing', ''],
    ['much', 'abc'.repeat(100000)]
  ])('carries %s from half to half', async (_, text) => {
    const { server, client } = halves();

    for (const [from, to] of [
      [server, client],
      [client, server]
    ]) {
      const payload = await call(from, 'compress', Buffer.from(text));

      expect(String(await call(to, 'decompress', payload))).toBe(text);
    }
    server.cleanup();
    client.cleanup();
  });

  test('carries fragments', async () => {
    const { server, client } = halves();
    const parts = [
      await call(server, 'compress', Buffer.from('one'), false),
      await call(server, 'compress', Buffer.from('two'), true)
    ];

    expect(String(await call(client, 'decompress', parts[0], false))).toBe(
      'one'
    );
    expect(String(await call(client, 'decompress', parts[1], true))).toBe(
      'two'
    );
    server.cleanup();
    client.cleanup();
  });

  test.each([
    ['with', {}, true],
    ['without', { server_no_context_takeover: [true] }, false]
  ])('%s a context', async (_, parameters, isShorter) => {
    const { server, client } = halves({}, parameters);
    const data = Buffer.from('the same text, the same text');
    const first = await call(server, 'compress', data);
    const second = await call(server, 'compress', data);

    expect(second.length < first.length).toBe(isShorter);
    for (const payload of [first, second]) {
      expect(await call(client, 'decompress', payload)).toEqual(data);
    }
    server.cleanup();
    client.cleanup();
  });

  test('knows its name', () => {
    expect(PerMessageDeflate.extensionName).toBe('permessage-deflate');
  });

  test('fails on data that is not deflated', async () => {
    const { server } = halves();
    const failed = await call(
      server,
      'decompress',
      Buffer.from([0xff, 0xff, 0xff])
    ).catch((err) => err);

    expect([failed.message, failed.code, failed.errno]).toEqual([
      'invalid block type',
      'Z_DATA_ERROR',
      -3
    ]);
  });

  test('fails on more than maxPayload', async () => {
    const { server, client } = halves({ maxPayload: 25 });
    const payload = await call(client, 'compress', Buffer.alloc(50, 'ab'));
    const failed = await call(server, 'decompress', payload).catch(
      (err) => err
    );

    expect([failed.constructor.name, failed.message, failed.code]).toEqual([
      'RangeError',
      'Max payload size exceeded',
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    ]);
    client.cleanup();
  });

  test('runs many at once and calls each back', async () => {
    const pairs = Array.from({ length: 20 }, () => halves());
    const results = await Promise.all(
      pairs.map(async ({ server, client }, index) => {
        const data = Buffer.alloc(10000, `${index}`);
        const payload = await call(server, 'compress', data);

        return (await call(client, 'decompress', payload)).equals(data);
      })
    );

    expect(results.every(Boolean)).toBe(true);
    for (const { server, client } of pairs) {
      server.cleanup();
      client.cleanup();
    }
  });
});

test.each([
  { level: 10 },
  { level: -2 },
  { level: '9' },
  { memLevel: 0 },
  { strategy: 5 }
])('oxws throws for the options of zlib %j at once', (zlibDeflateOptions) => {
  const perMessageDeflate = { zlibDeflateOptions };
  const [name] = Object.keys(zlibDeflateOptions);

  for (const construct of [
    () => new oxws.PerMessageDeflate(perMessageDeflate),
    () => new oxws.WebSocketServer({ noServer: true, perMessageDeflate }),
    () => new oxws.WebSocket('ws://127.0.0.1:1', { perMessageDeflate })
  ]) {
    expect(construct).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: expect.stringContaining(`zlibDeflateOptions.${name}"`)
      })
    );
  }
});
