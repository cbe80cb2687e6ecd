'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations
} = require('../support/implementations');
const { describeError } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, text } = OPCODE;

const errors = {
  payload: {
    class: 'RangeError',
    message: 'Max payload size exceeded',
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  },
  fragments: {
    class: 'RangeError',
    message: 'Too many message fragments',
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
  },
  chunks: {
    class: 'RangeError',
    message: 'Too many buffered chunks',
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS'
  },
  utf8: {
    class: 'Error',
    message: 'Invalid WebSocket frame: invalid UTF-8 sequence',
    code: 'WS_ERR_INVALID_UTF8'
  }
};

const roles = [
  { role: 'server', open: serveRaw, key: KEY },
  { role: 'client', open: dialRaw, key: undefined }
];

for (const { role, open, key } of roles) {
  describeEach(routedImplementations, `a ${role} with`, (row) => {
    const make = (fields) => frame({ key, ...fields });

    /** What happens when these bytes arrive: messages, error, close code. */
    async function outcome(options, bytes) {
      const { websocket, peer } = await open(row, {
        perMessageDeflate: false,
        ...options
      });
      const messages = [];
      const failed = new Promise((resolve) => {
        websocket.on('error', (err) => resolve(describeError(err)));
      });

      websocket.on('message', (data) => messages.push(data.length));
      peer.write(bytes);

      const answer = await peer.frame();

      return {
        messages,
        error: await failed,
        closeCode: answer.payload.readUInt16BE(0)
      };
    }

    /** The messages that arrive when these bytes end with a close frame. */
    async function accepted(options, bytes) {
      const { websocket, peer } = await open(row, {
        perMessageDeflate: false,
        ...options
      });
      const messages = [];

      websocket.on('message', (data) => messages.push(data.length));
      peer.write(bytes, make({ opcode: close, payload: closePayload(1000) }));
      expect((await once(websocket, 'close'))[0]).toBe(1000);
      return messages;
    }

    const message = (length) =>
      make({ opcode: binary, payload: Buffer.alloc(length) });

    test.each([
      [10, 'a longer message', () => message(11)],
      [125, 'a message with a 16-bit length', () => message(126)],
      [65535, 'a message with a 64-bit length', () => message(65536)],
      [
        10,
        'only the header of a longer message',
        () => make({ opcode: binary, length: 11 })
      ],
      [
        100,
        'only the header of an immense message',
        () => make({ opcode: binary, length: 2n ** 53n - 1n, lengthBytes: 8 })
      ],
      [
        10,
        'fragments that are longer together',
        () =>
          Buffer.concat([
            make({ opcode: text, payload: '123456', fin: false }),
            make({ opcode: continuation, payload: '', fin: false }),
            make({ opcode: continuation, payload: '12345' })
          ])
      ]
    ])('maxPayload %p refuses %s', async (maxPayload, _, build) => {
      expect(
        await outcome({ maxPayload }, Buffer.concat([message(10), build()]))
      ).toEqual({ messages: [10], error: errors.payload, closeCode: 1009 });
    });

    test('maxPayload accepts messages of that length', async () => {
      expect(
        await accepted(
          { maxPayload: 10 },
          Buffer.concat([
            message(10),
            make({ opcode: text, payload: '12345', fin: false }),
            make({ opcode: ping, payload: 'x'.repeat(125) }),
            make({ opcode: continuation, payload: '67890' }),
            message(10)
          ])
        )
      ).toEqual([10, 10, 10]);
    });

    test('maxPayload 0 accepts any length that is announced', async () => {
      const { websocket, peer } = await open(row, { maxPayload: 0 });

      peer.write(
        message(5),
        make({ opcode: binary, length: 2n ** 50n, lengthBytes: 8 })
      );
      await once(websocket, 'message');
      expect(websocket.readyState).toBe(1);
    });

    test('the default maxPayload of 100 MiB refuses more', async () => {
      const bytes = make({ opcode: binary, length: (100 << 20) + 1 });

      expect(await outcome({}, bytes)).toEqual({
        messages: [],
        error: errors.payload,
        closeCode: 1009
      });
    });

    const fragments = (count, payload) =>
      Buffer.concat([
        make({ opcode: binary, payload, fin: false }),
        ...Array(count - 2).fill(
          make({ opcode: continuation, payload, fin: false })
        ),
        make({ opcode: continuation, payload })
      ]);

    test.each([
      ['full', 'x'],
      ['empty', '']
    ])('maxFragments refuses one %s fragment more', async (_, payload) => {
      expect(
        await outcome(
          { maxFragments: 3 },
          Buffer.concat([fragments(3, payload), fragments(4, payload)])
        )
      ).toEqual({
        messages: [payload.length * 3],
        error: errors.fragments,
        closeCode: 1008
      });
    });

    test('maxFragments counts each message anew', async () => {
      expect(
        await accepted(
          { maxFragments: 3 },
          Buffer.concat([fragments(3, 'x'), message(1), fragments(3, 'x')])
        )
      ).toEqual([3, 1, 3]);
    });

    test('maxFragments 0 accepts more than the default', async () => {
      expect(
        await accepted({ maxFragments: 0 }, fragments(16385, 'x'))
      ).toEqual([16385]);
    });

    test('the default maxFragments of 16384 refuses more', async () => {
      expect(await outcome({}, fragments(16385, ''))).toEqual({
        messages: [],
        error: errors.fragments,
        closeCode: 1008
      });
    });

    test('maxBufferedChunks refuses a frame in too many chunks', async () => {
      const { websocket, peer } = await open(row, { maxBufferedChunks: 3 });
      const failed = new Promise((resolve) => websocket.on('error', resolve));
      let done = false;

      failed.then(() => (done = true));
      peer.socket.setNoDelay(true);
      peer.write(make({ opcode: binary, length: 60000 }));
      while (!done) {
        peer.write('x');
        await new Promise(setImmediate);
      }
      expect(describeError(await failed)).toEqual(errors.chunks);
      expect((await peer.frame()).payload).toEqual(closePayload(1008));
    });

    test('maxBufferedChunks 0 accepts any number of chunks', async () => {
      const { websocket, peer } = await open(row, { maxBufferedChunks: 0 });
      const received = once(websocket, 'message');

      await peer.writeByteByByte(message(300));
      expect((await received)[0]).toHaveLength(300);
    });

    const invalid = Buffer.from([0x61, 0xff, 0x62]);

    test('skipUTF8Validation accepts any text and reason', async () => {
      const { websocket, peer } = await open(row, { skipUTF8Validation: true });
      const received = once(websocket, 'message');
      const closed = once(websocket, 'close');

      peer.write(
        make({ opcode: text, payload: invalid }),
        make({
          opcode: close,
          payload: Buffer.concat([closePayload(1000), invalid])
        })
      );
      expect(await received).toEqual([invalid, false]);
      expect(await closed).toEqual([1000, invalid]);
    });

    test('no skipUTF8Validation refuses such a text', async () => {
      expect(
        await outcome({}, make({ opcode: text, payload: invalid }))
      ).toEqual({ messages: [], error: errors.utf8, closeCode: 1007 });
    });
  });
}

describeEach(pairs, 'the limits of one side', (pair) => {
  test('close the other with their code', async () => {
    for (const [side, other] of [
      ['server', 'client'],
      ['client', 'server']
    ]) {
      const connection = await connect(pair, { [side]: { maxPayload: 1000 } });
      const failed = new Promise((resolve) => {
        connection[side].on('error', resolve);
      });

      connection[other].send(Buffer.alloc(1001));
      expect((await once(connection[other], 'close'))[0]).toBe(1009);
      expect((await failed).code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    }
  });
});
