'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');

const deflating = {
  server: { perMessageDeflate: { threshold: 0 } },
  client: { perMessageDeflate: { threshold: 0 } }
};

/** Text that compresses, but not to nothing. */
function textOf(length, seed) {
  let state = seed;
  let text = '';

  while (text.length < length) {
    state = (state * 1103515245 + 12345) % 0x80000000;
    text += `item ${state % 9973}, `;
  }
  return text.slice(0, length);
}

/** Short and long ones; the second half is of those that take a while. */
const texts = [10, 0, 1000, 40000, 7, 300, 70000, 600000, 5, 200000, 30].map(
  (length, index) => textOf(length, index + 1)
);

/** Resolves the first `count` messages as text. */
function received(websocket, count) {
  return new Promise((resolve) => {
    const messages = [];

    websocket.on('message', (data) => {
      if (messages.push(String(data)) === count) resolve(messages);
    });
  });
}

const moments = [
  ['before anything is sent', (look) => look()],
  ['right behind the first sends', (look) => process.nextTick(look)],
  ['in the first message', (look, ws) => ws.once('message', look)],
  [
    'behind a few messages',
    (look, ws) => {
      let count = 0;

      ws.on('message', () => ++count === 6 && setImmediate(look));
    }
  ],
  ['after a millisecond', (look) => setTimeout(look, 1)],
  ['after some milliseconds', (look) => setTimeout(look, 8)]
];

describeEach(
  routedPairs,
  'a WebSocket whose _receiver is looked at',
  (pair) => {
    describe.each([
      ['with compression', deflating],
      [
        'without',
        {
          server: { perMessageDeflate: false },
          client: { perMessageDeflate: false }
        }
      ]
    ])('%s', (_, setup) => {
      test.each(moments)('%s loses nothing', async (_, when) => {
        const { client, server } = await connect(pair, setup);
        const all = Promise.all(
          [client, server].map((ws) => received(ws, texts.length))
        );

        for (const text of texts) {
          client.send(text);
          server.send(text, { compress: text.length !== 300 });
        }
        for (const ws of [client, server]) when(() => ws._receiver, ws);
        expect(
          (await all).map((messages) => messages.join() === texts.join())
        ).toEqual([true, true]);

        const closed = Promise.all(
          [client, server].map((ws) => once(ws, 'close'))
        );

        client.close(1000);
        expect((await closed).map(([code]) => code)).toEqual([1000, 1000]);
      });

      test('sends on as before', async () => {
        const { client, server } = await connect(pair, setup);
        const all = Promise.all(
          [client, server].map((ws) => received(ws, 3 * texts.length))
        );
        const called = [];

        for (const ws of [client, server]) {
          for (const text of texts) ws.send(text, () => called.push(text));
          void ws._receiver;
          for (const text of texts) ws.send(text, () => called.push(text));
          setImmediate(() => {
            for (const text of texts) ws.send(text, () => called.push(text));
          });
        }

        const wanted = [...texts, ...texts, ...texts].join();

        expect(
          (await all).map((messages) => messages.join() === wanted)
        ).toEqual([true, true]);
        // The peer may have a message before we are told that the kernel has it.
        while (called.length < 6 * texts.length) {
          await new Promise(setImmediate);
        }

        expect(called.length).toBe(6 * texts.length);
      });

      test('delivers all that was sent before the other side ends', async () => {
        const { client, server } = await connect(pair, setup);
        const messages = [];

        client.on('message', (data) => messages.push(String(data)));
        void client._receiver;
        for (const text of texts.slice(1)) server.send(text);
        server.send(texts[0], () => server._socket.end());

        const [code] = await once(client, 'close');

        expect(code).toBe(1006);
        expect(messages.join() === [...texts.slice(1), texts[0]].join()).toBe(
          true
        );
      });
    });

    test('is a Writable with the limits of the connection', async () => {
      const { client, server } = await connect(pair, {
        server: { maxPayload: 100, maxFragments: 3, maxBufferedChunks: 4 }
      });

      expect(server._receiver).toBe(server._receiver);
      expect([
        server._receiver._maxPayload,
        server._receiver._maxFragments,
        server._receiver._maxBufferedChunks,
        server._receiver._isServer,
        client._receiver._isServer
      ]).toEqual([100, 3, 4, true, false]);
      expect(client._receiver.writableHighWaterMark).toBeGreaterThan(0);
    });

    test('has binary messages as binaryType says', async () => {
      const { client, server } = await connect(pair);

      client.binaryType = 'arraybuffer';
      void client._receiver;
      server.send(Buffer.from('one'));

      const [first] = await once(client, 'message');

      client.binaryType = 'fragments';
      server.send(Buffer.from('two'));

      const [second] = await once(client, 'message');

      expect(Buffer.from(first).toString()).toBe('one');
      expect(Object.prototype.toString.call(first)).toBe(
        '[object ArrayBuffer]'
      );
      expect(second.map(String)).toEqual(['two']);
    });

    test('is paused and resumed as before', async () => {
      const { client, server } = await connect(pair, deflating);
      const messages = [];

      client.on('message', (data) => messages.push(String(data)));
      client.pause();
      void client._receiver;
      server.send('one');
      server.send('two', { compress: false });
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(messages).toEqual([]);
      client.resume();
      while (messages.length < 2) await new Promise(setImmediate);
      expect(messages).toEqual(['one', 'two']);
    });

    test('tells of a violation, and of its limits', async () => {
      const { client, server } = await connect(pair, {
        ...deflating,
        server: { ...deflating.server, maxPayload: 1000 }
      });
      const closed = once(client, 'close');

      void server._receiver;
      client.send('a'.repeat(1001));

      const [err] = await once(server, 'error');

      expect(err.message).toBe('Max payload size exceeded');
      expect((await closed)[0]).toBe(1009);
    });

    test.each([
      ['without compression', {}],
      ['with compression', deflating]
    ])('can be given other limits, %s', async (_, setup) => {
      const { client, server } = await connect(pair, setup);
      const closed = once(client, 'close');
      const lengths = [];

      server._receiver._maxPayload = 50;
      server.on('message', (data) => {
        lengths.push(data.length);
        if (data.length === 5) server._receiver._maxPayload = 1000;
        server.send('next');
      });
      for (const length of [5, 500]) {
        client.send('a'.repeat(length));
        await once(client, 'message');
      }
      client.send('a'.repeat(5000));

      const [err] = await once(server, 'error');

      expect(err.message).toBe('Max payload size exceeded');
      expect((await closed)[0]).toBe(1009);
      expect(lengths).toEqual([5, 500]);
    });

    test('can be given a higher limit', async () => {
      const { client, server } = await connect(pair, {
        server: { maxPayload: 10 },
        client: { perMessageDeflate: false }
      });

      server._receiver._maxPayload = 0;
      client.send('a'.repeat(5000));
      expect((await once(server, 'message'))[0].length).toBe(5000);
    });

    test('inflates no more than was negotiated, whatever its limit', async () => {
      const { client, server } = await connect(pair, {
        server: { maxPayload: 100, perMessageDeflate: true },
        client: { perMessageDeflate: true }
      });

      server._receiver._maxPayload = 1000;
      client.send('a'.repeat(500));

      const [err] = await once(server, 'error');

      expect(err.message).toBe('Max payload size exceeded');
    });

    test('can be told to take any text', async () => {
      const { client, server } = await connect(pair);
      const bytes = Buffer.from([0xff]);

      server._receiver._skipUTF8Validation = true;
      client.send(bytes, { binary: false });
      expect(await once(server, 'message')).toEqual([bytes, false]);
    });

    test('has a sender beside it that knows the socket', async () => {
      const { client, server } = await connect(pair);

      for (const { _sender: sender, _socket: socket } of [client, server]) {
        expect(sender._socket).toBe(socket);
        expect(['Socket', 'TLSSocket']).toContain(socket.constructor.name);
      }
    });

    test('is there when the connection is closed', async () => {
      const { client, server } = await connect(pair, deflating);
      const closed = Promise.all(
        [client, server].map((ws) => once(ws, 'close'))
      );

      client.close();
      await closed;
      expect(client._receiver._extensions).toBe(client._extensions);
      expect(server._receiver._isServer).toBe(true);
    });
  }
);
