'use strict';

const { randomBytes } = require('crypto');
const { once } = require('events');

const { connect } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedPairs
} = require('../support/implementations');
const { thrown } = require('../support/trace');
const { messages } = require('../support/waiting');

const bytes = Buffer.from([1, 2, 3, 250]);
const backing = Uint8Array.from([9, 9, 1, 2, 3, 250, 9, 9]).buffer;
const text = 'h\u00e9llo \u4e16\u754c \ud83d\ude00';

/** `[what, data, bytes that arrive, is it binary]` */
const values = [
  ['a string', 'hello', Buffer.from('hello'), false],
  ['a string outside ASCII', text, Buffer.from(text), false],
  ['a lone surrogate', 'a\ud800b', Buffer.from('a\ufffdb'), false],
  ['an empty string', '', Buffer.alloc(0), false],
  ['zero', 0, Buffer.from('0'), false],
  ['a number', -1.5, Buffer.from('-1.5'), false],
  ['NaN', NaN, Buffer.from('NaN'), false],
  ['undefined', undefined, Buffer.alloc(0), true],
  ['null', null, Buffer.alloc(0), true],
  ['false', false, Buffer.alloc(0), true],
  ['a Buffer', bytes, bytes, true],
  ['an empty Buffer', Buffer.alloc(0), Buffer.alloc(0), true],
  ['a Uint8Array', new Uint8Array(bytes), bytes, true],
  ['a part of an ArrayBuffer', new Uint8Array(backing, 2, 4), bytes, true],
  ['an ArrayBuffer', backing.slice(2, 6), bytes, true],
  ['a DataView', new DataView(backing, 2, 4), bytes, true],
  ['an Int16Array', new Int16Array(backing, 2, 2), bytes, true],
  [
    'a Float64Array',
    new Float64Array([1.5]),
    Buffer.from(new Float64Array([1.5]).buffer),
    true
  ],
  ['an array', [1, 2, 3, 250], bytes, true],
  ['a String object', new String('hello'), Buffer.from('hello'), true],
  ['the JSON of a Buffer', bytes.toJSON(), bytes, true],
  ['a Blob', new Blob([bytes]), bytes, true],
  ['an empty Blob', new Blob([]), Buffer.alloc(0), true]
];

/** The byte lengths at which a header or a read changes its form. */
const lengths = [1, 125, 126, 127, 65535, 65536, 65537, 1 << 20];

describeEach(routedPairs, 'a message', (pair) => {
  test.each(values)('can be %s', async (_, data, expected, isBinary) => {
    const { client, server } = await connect(pair);
    const arrivals = [messages(server, 1), messages(client, 1)];

    client.send(data);
    server.send(data);
    for (const arrival of arrivals) {
      const [[received, binary]] = await arrival;

      expect(Buffer.isBuffer(received)).toBe(true);
      expect(received.equals(expected)).toBe(true);
      expect(binary).toBe(isBinary);
    }
  });

  test.each(lengths)('can have %p bytes', async (length) => {
    const { client, server } = await connect(pair);
    const binary = randomBytes(length);
    const ascii = binary.toString('base64').slice(0, length);

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      const arrival = messages(to, 3);

      from.send(binary);
      from.send(ascii);
      from.send('end');

      const [first, second, third] = await arrival;

      expect(first[0].equals(binary)).toBe(true);
      expect(second[0].toString()).toBe(ascii);
      expect(third[0].toString()).toBe('end');
      expect([first[1], second[1], third[1]]).toEqual([true, false, false]);
    }
  });

  test('can have 16 MiB', async () => {
    const { client, server } = await connect(pair);
    const data = randomBytes(16 << 20);

    server.on('message', (received) => server.send(received));
    client.send(data);

    const [received] = await once(client, 'message');

    expect(received.equals(data)).toBe(true);
  });

  test('keeps its place among many', async () => {
    const { client, server } = await connect(pair);
    const count = 2000;
    const arrival = messages(client, count);

    server.on('message', (data, isBinary) => {
      server.send(data, { binary: isBinary });
    });
    for (let index = 0; index < count; index++) client.send(`${index}`);
    expect((await arrival).map(([data]) => Number(data))).toEqual(
      Array.from({ length: count }, (_, index) => index)
    );
  });
});

/** What may stand where send() has its options, and whether bytes are binary then. */
const options = [
  ['null', null, true],
  ['a boolean', false, true],
  ['a number', 1, true],
  ['a string', 'binary', true],
  ['an array', [], true],
  ['binary: true', { binary: true }, true],
  ['binary: 1', { binary: 1 }, true],
  ['binary: false', { binary: false }, false],
  ['binary: undefined', { binary: undefined }, false],
  ['binary: false, inherited', Object.create({ binary: false }), true],
  ['no prototype', Object.assign(Object.create(null), { binary: 0 }), false]
];

describeEach(pairs, 'the options of send()', (pair) => {
  test.each(options)('can be %s', async (_, value, isBinary) => {
    const { client, server } = await connect(pair);
    const arrival = messages(server, 1);

    client.send(bytes.subarray(0, 3), value);

    const [[received, binary]] = await arrival;

    expect([...received]).toEqual([1, 2, 3]);
    expect(binary).toBe(isBinary);
  });
});

describeEach(pairs, 'the data of send()', (pair) => {
  test.each([
    ['true', true],
    ['an object', {}],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['a map', new Map()]
  ])('cannot be %s', async (_, data) => {
    const { client, server } = await connect(pair);

    for (const websocket of [client, server]) {
      for (const method of ['send', 'ping', 'pong']) {
        expect(thrown(() => websocket[method](data))).toMatchObject({
          class: 'TypeError'
        });
      }
    }
    client.send('fine');
    expect(String((await once(server, 'message'))[0])).toBe('fine');
  });

  test('can be left out', async () => {
    const { client, server } = await connect(pair);

    client.send();

    const [data, isBinary] = await once(server, 'message');

    expect([data.length, isBinary]).toEqual([0, true]);
  });

  test.each([
    ['a string as binary', 'abc', true],
    ['a Buffer as text', Buffer.from('abc'), false],
    ['an ArrayBuffer as text', Uint8Array.from([97, 98, 99]).buffer, false],
    ['a Blob as text', new Blob(['abc']), false]
  ])('can be sent as the option says: %s', async (_, data, binary) => {
    const { client, server } = await connect(pair);
    const arrivals = [messages(server, 1), messages(client, 1)];

    client.send(data, { binary });
    server.send(data, { binary });
    for (const arrival of arrivals) {
      const [[received, isBinary]] = await arrival;

      expect([String(received), isBinary]).toEqual(['abc', binary]);
    }
  });

  test('is not changed by masking', async () => {
    const { client, server } = await connect(pair);
    const sizes = [10, 1000, 100000];
    const arrival = messages(server, sizes.length * 2);
    const buffers = sizes.map((size) => Buffer.alloc(size, 'abcdefg'));
    const arrays = sizes.map((size) => new Uint8Array(size).fill(5).buffer);

    for (const data of [...buffers, ...arrays]) client.send(data);
    await arrival;
    for (const buffer of buffers) {
      expect(buffer.equals(Buffer.alloc(buffer.length, 'abcdefg'))).toBe(true);
    }
    for (const array of arrays) {
      expect(new Uint8Array(array).every((byte) => byte === 5)).toBe(true);
    }
  });

  test('belongs to the listener', async () => {
    const { client, server } = await connect(pair);
    const kept = [];
    const finished = new Promise((resolve) => {
      server.on('message', (data) => {
        const before = String(data);

        data.fill('x');
        kept.push([before, data]);
        if (kept.length === 4) resolve();
      });
    });

    for (const data of ['one', 'two', 'three', 'four']) client.send(data);
    await finished;
    expect(kept.map(([before, data]) => [before, String(data)])).toEqual([
      ['one', 'xxx'],
      ['two', 'xxx'],
      ['three', 'xxxxx'],
      ['four', 'xxxx']
    ]);
  });
});

describeEach(routedPairs, 'Blobs', (pair) => {
  test('keep their place among all that is sent', async () => {
    const { client, server } = await connect(pair, {
      server: { autoPong: false },
      client: { autoPong: false }
    });

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      const events = [];
      const closed = new Promise((resolve) => {
        to.on('message', (data) => events.push(`message ${data}`));
        to.on('ping', (data) => events.push(`ping ${data}`));
        to.on('pong', (data) => {
          if (String(data) === 'end') resolve();
          else events.push(`pong ${data}`);
        });
      });

      from.send('1');
      from.send(new Blob(['2']));
      from.ping('3');
      from.send(new Blob(['4']));
      from.send(new Blob(['5']));
      from.pong('6');
      from.send('7');
      from.ping(new Blob(['8']));
      from.pong(new Blob(['end']));
      await closed;
      expect(events).toEqual([
        'message 1',
        'message 2',
        'ping 3',
        'message 4',
        'message 5',
        'pong 6',
        'message 7',
        'ping 8'
      ]);
    }
  });

  test('are all sent before a close', async () => {
    const { client, server } = await connect(pair);
    const received = [];

    server.on('message', (data) => received.push(String(data)));
    client.send(new Blob(['one']));
    client.send(new Blob(['two']));
    client.close(1000, 'done');

    const [code, reason] = await once(server, 'close');

    expect(received).toEqual(['one', 'two']);
    expect([code, String(reason)]).toEqual([1000, 'done']);
  });

  test('that cannot be read end the connection', async () => {
    const { client, server } = await connect(pair);
    const blob = new Blob(['data']);
    const failure = new Error('unreadable');
    const order = [];

    blob.arrayBuffer = () => Promise.reject(failure);
    client.on('error', (err) => order.push(['error', err === failure]));
    client.on('close', (code) => order.push(['close', code]));
    client.send('before');
    client.send(blob, (err) => order.push(['first', err === failure]));
    client.send('after', (err) => order.push(['second', err === failure]));
    expect(String((await once(server, 'message'))[0])).toBe('before');
    await once(client, 'close');
    expect(order).toEqual([
      ['first', true],
      ['second', true],
      ['error', true],
      ['close', 1006]
    ]);
  });
});
