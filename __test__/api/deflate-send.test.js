'use strict';

const { once } = require('events');

const { compressingRoles, inflate } = require('../support/compression');
const { connect } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { describeError } = require('../support/trace');
const { OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, text } = OPCODE;
const noContext = '; server_no_context_takeover; client_no_context_takeover';

for (const { role, open } of compressingRoles) {
  describeEach(routedImplementations, `a compressing ${role}`, (row) => {
    test('sends compressed messages that keep their context', async () => {
      const { websocket, peer } = await open(row);
      const frames = [];

      for (const data of ['same text here', 'same text here']) {
        websocket.send(data);
        frames.push(await peer.frame());
      }
      expect(frames.map(({ rsv, opcode }) => [rsv, opcode])).toEqual([
        [4, text],
        [4, text]
      ]);
      expect(frames[1].payload.length).toBeLessThan(frames[0].payload.length);
      expect(String(inflate(...frames.map(({ payload }) => payload)))).toBe(
        'same text heresame text here'
      );
    });

    test('sends each message by itself without a context', async () => {
      const { websocket, peer } = await open(
        row,
        { perMessageDeflate: { threshold: 5 } },
        noContext
      );
      const frames = [];

      for (const data of ['same text', 'same text', 'tiny']) {
        websocket.send(data);
        frames.push(await peer.frame());
      }
      expect(frames.map(({ rsv }) => rsv)).toEqual([4, 4, 0]);
      expect(frames[0].payload.equals(frames[1].payload)).toBe(true);
      expect(String(inflate(frames[0].payload))).toBe('same text');
      expect(String(frames[2].payload)).toBe('tiny');
    });

    test('has a threshold of 1024 bytes without a context', async () => {
      const { websocket, peer } = await open(row, {}, noContext);

      for (const length of [1023, 1024]) {
        websocket.send('x'.repeat(length));
        expect((await peer.frame()).rsv).toBe(length < 1024 ? 0 : 4);
      }
    });

    test('sends plain messages on demand', async () => {
      const { websocket, peer } = await open(row);

      websocket.send('plain', { compress: false });
      websocket.send('compressed');
      websocket.ping('ping');
      expect(await peer.frame()).toMatchObject({
        rsv: 0,
        payload: Buffer.from('plain')
      });
      expect((await peer.frame()).rsv).toBe(4);
      expect(await peer.frame()).toMatchObject({ rsv: 0, opcode: ping });
    });

    test('lets the first fragment decide', async () => {
      const { websocket, peer } = await open(row);

      websocket.send('one ', { fin: false });
      websocket.send('two', { fin: true, compress: false });
      websocket.send('three ', { fin: false, compress: false });
      websocket.send('four', { fin: true });

      const frames = [];

      while (frames.length < 4) frames.push(await peer.frame());
      expect(frames.map(({ rsv, fin, opcode }) => [rsv, fin, opcode])).toEqual([
        [4, false, text],
        [0, true, continuation],
        [0, false, text],
        [0, true, continuation]
      ]);
      expect(
        String(
          inflate(
            Buffer.concat(frames.slice(0, 2).map(({ payload }) => payload))
          )
        )
      ).toBe('one two');
      expect(String(frames[2].payload) + frames[3].payload).toBe('three four');
    });

    test('sends empty messages', async () => {
      const { websocket, peer } = await open(row);

      websocket.send('');

      const { rsv, payload } = await peer.frame();

      expect(rsv).toBe(4);
      expect(payload).toHaveLength(1);
      expect(String(inflate(payload))).toBe('');
    });

    test('keeps the order behind a large message', async () => {
      const { websocket, peer } = await open(row, {
        perMessageDeflate: { threshold: 0 }
      });

      websocket.send(Buffer.alloc(1 << 20, 'abc'));
      websocket.ping('p');
      websocket.send('small');
      websocket.close(1000);

      const opcodes = [];

      while (opcodes.length < 4) opcodes.push((await peer.frame()).opcode);
      expect(opcodes).toEqual([binary, ping, text, close]);
    });
  });
}

describeEach(routedPairs, 'compressed conversations', (pair) => {
  test.each([
    ['the defaults', {}],
    [
      'no context',
      { serverNoContextTakeover: true, clientNoContextTakeover: true }
    ],
    ['8 bits', { serverMaxWindowBits: 8, clientMaxWindowBits: 8 }],
    ['9 and 15 bits', { serverMaxWindowBits: 9, clientMaxWindowBits: 15 }],
    ['level 1', { zlibDeflateOptions: { level: 1, memLevel: 9 } }],
    ['level 0', { zlibDeflateOptions: { level: 0 } }],
    ['level 9', { zlibDeflateOptions: { level: 9, memLevel: 1 } }],
    ['one at a time', { concurrencyLimit: 1 }]
  ])('carry everything with %s', async (_, options) => {
    const perMessageDeflate = { threshold: 0, ...options };
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate },
      client: { perMessageDeflate }
    });

    server.on('message', (data, isBinary) => {
      server.send(data, { binary: isBinary });
    });
    for (const data of [
      'text',
      '',
      Buffer.alloc(300000, 'abc'),
      Buffer.from(Array.from({ length: 50000 }, (_, index) => index * 7919)),
      'text'
    ]) {
      client.send(data);

      const [received] = await once(client, 'message');

      expect(received.equals(Buffer.from(data))).toBe(true);
    }
  });
});

describeEach(pairs, 'many compressed connections', (pair) => {
  test('do not disturb each other', async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, number) => {
        const { client, server } = await connect(pair, {
          server: { perMessageDeflate: { threshold: 0 } }
        });
        const received = [];
        const finished = new Promise((resolve) => {
          client.on('message', (data) => {
            received.push(String(data));
            if (received.length === 20) resolve();
          });
        });

        server.on('message', (data) => server.send(data, { binary: false }));
        for (let index = 0; index < 20; index++) {
          client.send(`${number}:${index} `.repeat(100));
        }
        await finished;
        return received.every((data, index) =>
          data.startsWith(`${number}:${index} `)
        );
      })
    );

    expect(results.every(Boolean)).toBe(true);
  });

  test('end with the error of zlib on both sides', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: true, maxPayload: 100 }
    });
    const failed = new Promise((resolve) => server.on('error', resolve));

    client.send(Buffer.alloc(100000));
    expect((await once(client, 'close'))[0]).toBe(1009);
    expect(describeError(await failed).message).toBe(
      'Max payload size exceeded'
    );
  });
});
