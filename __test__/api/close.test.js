'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedPairs
} = require('../support/implementations');
const { thrown } = require('../support/trace');

/** The close events of both sides as `[code, reason]`. */
async function closes({ client, server }) {
  const events = await Promise.all([
    once(client, 'close'),
    once(server, 'close')
  ]);

  for (const [, reason] of events) expect(Buffer.isBuffer(reason)).toBe(true);
  return events.map(([code, reason]) => [code, String(reason)]);
}

const accepted = [
  [[], [1005, '']],
  [[undefined], [1005, '']],
  [
    [undefined, 'unused'],
    [1005, '']
  ],
  [[1000], [1000, '']],
  [
    [1000, undefined],
    [1000, '']
  ],
  [
    [1000, ''],
    [1000, '']
  ],
  [
    [1000, 'done'],
    [1000, 'done']
  ],
  [
    [1001, 'h\u00e9llo \ud83d\ude00'],
    [1001, 'h\u00e9llo \ud83d\ude00']
  ],
  [
    [1002, Buffer.from('bytes')],
    [1002, 'bytes']
  ],
  [
    [1003, Uint8Array.from([97, 98])],
    [1003, 'ab']
  ],
  [
    [1003, Buffer.alloc(0)],
    [1003, '']
  ],
  [
    [1007, 'x'.repeat(123)],
    [1007, 'x'.repeat(123)]
  ],
  ...[1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999].map(
    (code) => [[code], [code, '']]
  )
];

describeEach(routedPairs, 'close()', (pair) => {
  test.each(accepted)('with %p is heard by both sides', async (args, event) => {
    for (const side of ['client', 'server']) {
      const connection = await connect(pair);
      const closed = closes(connection);

      connection[side].close(...args);
      expect(connection[side].readyState).toBe(2);
      expect(await closed).toEqual([event, event]);
      expect(connection.client.readyState).toBe(3);
      expect(connection.server.readyState).toBe(3);
    }
  });

  test('by both sides at once tells each what the other said', async () => {
    const connection = await connect(pair);
    const closed = closes(connection);

    connection.client.close(1000, 'from the client');
    connection.server.close(1001, 'from the server');
    expect(await closed).toEqual([
      [1001, 'from the server'],
      [1000, 'from the client']
    ]);
  });

  test('comes after everything that was sent before', async () => {
    const connection = await connect(pair);
    const { client, server } = connection;
    const received = [];

    server.on('message', (data) => received.push(data.length));
    for (const length of [1, 70000, 3, 1 << 20, 5]) {
      client.send(Buffer.alloc(length));
    }
    client.close(1000);
    await closes(connection);
    expect(received).toEqual([1, 70000, 3, 1 << 20, 5]);
  });

  test('still receives what the other side sends', async () => {
    const connection = await connect(pair, {
      onServer: (server) => server.send('late')
    });
    const { client, server } = connection;
    const received = [];

    client.on('message', (data) => {
      received.push([String(data), client.readyState]);
    });
    server.send('later');
    client.close(1000);
    await closes(connection);
    expect(received.slice(-1)).toEqual([['later', 2]]);
  });

  test('counts only once', async () => {
    const connection = await connect(pair);
    const closed = closes(connection);
    const onClose = jest.fn();

    connection.client.on('close', onClose);
    connection.client.close(1000, 'first');
    connection.client.close(1001, 'second');
    connection.client.close();
    connection.client.close('not a code');
    expect(await closed).toEqual(Array(2).fill([1000, 'first']));
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  test('does nothing once closed', async () => {
    const connection = await connect(pair);
    const { client } = connection;
    const closed = closes(connection);
    const onEvent = jest.fn();

    client.close(1000);
    await closed;
    client.on('close', onEvent);
    client.on('error', onEvent);
    client.close(1000);
    client.close('not a code', {});
    client.terminate();
    client.pause();
    client.resume();
    await new Promise(setImmediate);
    expect(client.readyState).toBe(3);
    expect(client.isPaused).toBe(false);
    expect(onEvent).not.toHaveBeenCalled();
  });

  test('leaves the attributes as they were', async () => {
    const connection = await connect(pair, { protocols: ['chat'] });
    const { client, server } = connection;
    const { url } = client;

    client.binaryType = 'arraybuffer';
    client.close();
    await closes(connection);
    for (const { protocol } of [client, server]) expect(protocol).toBe('chat');
    expect([client.binaryType, client.url]).toEqual(['arraybuffer', url]);
    expect([client.bufferedAmount, server.bufferedAmount]).toEqual([0, 0]);
  });
});

const code = 'First argument must be a valid error code number';
const size = 'The message must not be greater than 123 bytes';
const type = 'Second argument must be a string or a Uint8Array';

describeEach(pairs, 'close() refuses', (pair) => {
  test.each([
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65536].map(
      (value) => [`code ${value}`, [value], 'TypeError', code]
    ),
    ['a code as text', ['1000'], 'TypeError', code],
    ['null', [null], 'TypeError', code],
    ['NaN', [NaN], 'TypeError', code],
    ['a function', [() => {}], 'TypeError', code],
    ['124 bytes', [1000, 'x'.repeat(124)], 'RangeError', size],
    [
      '62 characters of 2 bytes',
      [1000, '\u00e9'.repeat(62)],
      'RangeError',
      size
    ],
    ['a Buffer of 124 bytes', [1000, Buffer.alloc(124)], 'RangeError', size],
    [
      'an array of two-byte numbers',
      [1000, new Uint16Array(2)],
      'TypeError',
      type
    ]
  ])('%s and stays open', async (_, args, name, message) => {
    const connection = await connect(pair);

    for (const websocket of [connection.client, connection.server]) {
      expect(thrown(() => websocket.close(...args))).toEqual({
        class: name,
        message
      });
      expect(websocket.readyState).toBe(1);
    }
    connection.client.send('still open');
    expect(String((await once(connection.server, 'message'))[0])).toBe(
      'still open'
    );

    const closed = closes(connection);

    connection.server.close(1000, 'now');
    expect(await closed).toEqual(Array(2).fill([1000, 'now']));
  });

  test.each([
    ['a list', [1, 2]],
    ['an object with a length', { length: 2 }]
  ])('%s as a reason and stays open', async (_, reason) => {
    const { client } = await connect(pair);

    expect(thrown(() => client.close(1000, reason)).class).toBe('TypeError');
    expect(client.readyState).toBe(1);
  });
});

describeEach(routedPairs, 'closing in the listener of', (pair) => {
  /** `[event, what provokes it at the client]` */
  const provocations = [
    ['open', () => {}],
    ['message', (server) => server.send('x')],
    ['ping', (server) => server.ping()],
    ['pong', (server) => server.pong()]
  ];

  test.each(provocations)("'%s' with close()", async (event, provoke) => {
    const connection = await connect(pair, {
      onServer: provoke,
      onClient: (client) => client.on(event, () => client.close(4000, event))
    });

    expect(await closes(connection)).toEqual([
      [4000, event],
      [4000, event]
    ]);
  });

  test.each(provocations)("'%s' with terminate()", async (event, provoke) => {
    const states = [];
    const connection = await connect(pair, {
      onServer: provoke,
      onClient: (client) => {
        client.on(event, () => {
          client.terminate();
          states.push(client.readyState);
        });
      }
    });

    expect(await closes(connection)).toEqual([
      [1006, ''],
      [1006, '']
    ]);
    expect(states).toEqual([2]);
  });

  test("'open' with close as the listener itself", async () => {
    const connection = await connect(pair, {
      onClient: (client) => client.on('open', client.close)
    });

    expect(await closes(connection)).toEqual([
      [1005, ''],
      [1005, '']
    ]);
  });

  test("'connection' with close() and terminate()", async () => {
    for (const [method, args, event] of [
      ['close', [1013, 'later'], [1013, 'later']],
      ['terminate', [], [1006, '']]
    ]) {
      let connection;
      const client = {};
      const closed = new Promise((resolve) => {
        connection = connect(pair, {
          onServer: (server) => server[method](...args),
          onClient: (websocket) => {
            client.events = [];
            websocket.on('error', ({ message }) => client.events.push(message));
            websocket.on('close', (code, reason) => {
              resolve([code, String(reason)]);
            });
          }
        }).catch(() => {});
      });

      expect(await closed).toEqual(event);
      await connection;
    }
  });

  test("'close' with both", async () => {
    const { client, server } = await connect(pair);
    const events = [];

    client.on('close', (code) => {
      client.close(1000);
      client.terminate();
      events.push([code, client.readyState]);
    });
    server.close(1000);
    await once(client, 'close');
    await new Promise(setImmediate);
    expect(events).toEqual([[1000, 3]]);
  });
});

describeEach(routedPairs, 'terminate()', (pair) => {
  test.each(['client', 'server'])(
    'by the %s is abnormal for both',
    async (side) => {
      const connection = await connect(pair);
      const closed = closes(connection);
      const onError = jest.fn();

      connection.client.on('error', onError);
      connection.server.on('error', onError);
      connection[side].terminate();
      expect(connection[side].readyState).toBe(2);
      connection[side].terminate();
      expect(await closed).toEqual([
        [1006, ''],
        [1006, '']
      ]);
      expect(onError).not.toHaveBeenCalled();
    }
  );

  test('cuts a close short', async () => {
    const { client, server } = await connect(pair);
    const closed = once(client, 'close');

    server.pause();
    client.close(1000);
    client.terminate();
    expect((await closed)[0]).toBe(1006);
    server.terminate();
    await once(server, 'close');
  });
});
