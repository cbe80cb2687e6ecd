'use strict';

const { dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { describeError, trace } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, pong, text } = OPCODE;

const PREFIX = 'Invalid WebSocket frame: ';

/** Bytes of one frame, masked or not by the side that sends. */
const make = (fields) => (key) => frame({ key, ...fields });

const rsv23 = ['WS_ERR_UNEXPECTED_RSV_2_3', 'RSV2 and RSV3 must be clear'];
const rsv1 = ['WS_ERR_UNEXPECTED_RSV_1', 'RSV1 must be clear'];
const fin = ['WS_ERR_EXPECTED_FIN', 'FIN must be set'];
const opcode = (value) => ['WS_ERR_INVALID_OPCODE', `invalid opcode ${value}`];
const control = (length) => [
  'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
  `invalid payload length ${length}`
];
const code = (value) => [
  'WS_ERR_INVALID_CLOSE_CODE',
  `invalid status code ${value}`
];
const utf8 = ['WS_ERR_INVALID_UTF8', 'invalid UTF-8 sequence'];

const badUtf8 = [
  ['a continuation byte alone', [0x80]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['an overlong three-byte form', [0xe0, 0x80, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a byte that never occurs', [0xff]],
  ['a character cut off', [0x68, 0xc3]],
  ['a long text with one bad byte', [...Buffer.alloc(500, 'a'), 0xfe, 0x61]]
];

/** `[what, frames, [code, text], close code, error class]` */
const violations = [
  ['RSV2', [make({ opcode: text, rsv: 2 })], rsv23],
  ['RSV3', [make({ opcode: text, rsv: 1 })], rsv23],
  ['all RSV bits', [make({ opcode: binary, rsv: 7 })], rsv23],
  ['RSV3 of an unknown opcode', [make({ opcode: 3, rsv: 1 })], rsv23],
  ['RSV1 of a text', [make({ opcode: text, rsv: 4 })], rsv1],
  ['RSV1 of a ping', [make({ opcode: ping, rsv: 4 })], rsv1],
  ['RSV1 of a close', [make({ opcode: close, rsv: 4 })], rsv1],
  ['RSV1 of an unknown opcode', [make({ opcode: 7, rsv: 4 })], rsv1],
  [
    'RSV1 of a continuation',
    [
      make({ opcode: text, fin: false }),
      make({ opcode: continuation, rsv: 4 })
    ],
    rsv1
  ],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((value) => [
    `opcode ${value}`,
    [make({ opcode: value })],
    opcode(value)
  ]),
  ['a continuation of nothing', [make({ opcode: continuation })], opcode(0)],
  [
    'a continuation after the last fragment',
    [
      make({ opcode: text, fin: false }),
      make({ opcode: continuation }),
      make({ opcode: continuation })
    ],
    opcode(0)
  ],
  [
    'a text inside a message',
    [make({ opcode: text, fin: false }), make({ opcode: text })],
    opcode(1)
  ],
  [
    'a binary inside a message',
    [make({ opcode: text, fin: false }), make({ opcode: binary })],
    opcode(2)
  ],
  ['a fragmented close', [make({ opcode: close, fin: false })], fin],
  ['a fragmented ping', [make({ opcode: ping, fin: false })], fin],
  ['a fragmented pong', [make({ opcode: pong, fin: false })], fin],
  [
    'a ping of 126 bytes',
    [make({ opcode: ping, payload: Buffer.alloc(126) })],
    control(126)
  ],
  [
    'a pong with a 64-bit length',
    [make({ opcode: pong, length: 1, lengthBytes: 8 })],
    control(127)
  ],
  ['a close of 1 byte', [make({ opcode: close, payload: 'x' })], control(1)],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map((value) => [
    `close code ${value}`,
    [make({ opcode: close, payload: closePayload(value) })],
    code(value)
  ]),
  ...badUtf8.map(([what, bytes]) => [
    `a text with ${what}`,
    [make({ opcode: text, payload: Buffer.from(bytes) })],
    utf8,
    1007,
    'Error'
  ]),
  [
    'a text whose character is cut off by the last fragment',
    [
      make({ opcode: text, payload: Buffer.from([0xe4]), fin: false }),
      make({ opcode: continuation, payload: Buffer.from([0xb8]), fin: false }),
      make({ opcode: continuation })
    ],
    utf8,
    1007,
    'Error'
  ],
  [
    'a close reason that is no UTF-8',
    [
      make({
        opcode: close,
        payload: Buffer.concat([closePayload(1000), Buffer.from([0xc3])])
      })
    ],
    utf8,
    1007,
    'Error'
  ]
];

const tooLong = [
  'a length of 2^53',
  [make({ opcode: binary, length: 2n ** 53n, lengthBytes: 8 })],
  [
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'Unsupported WebSocket frame: payload length > 2^53 - 1'
  ],
  1009
];

const sides = [
  {
    side: 'server',
    open: serveRaw,
    key: KEY,
    wrongMask: [
      'a frame without a mask',
      [() => frame({ opcode: text, payload: 'x' })],
      ['WS_ERR_EXPECTED_MASK', 'MASK must be set']
    ]
  },
  {
    side: 'client',
    open: dialRaw,
    key: undefined,
    wrongMask: [
      'a frame with a mask',
      [() => frame({ opcode: text, payload: 'x', key: KEY })],
      ['WS_ERR_UNEXPECTED_MASK', 'MASK must be clear']
    ]
  }
];

for (const { side, open, key, wrongMask } of sides) {
  describeEach(routedImplementations, `a ${side} that gets`, (row) => {
    const cases = [...violations, wrongMask, tooLong];
    const expectedOf = ([name, message], ErrorClass) => ({
      event: 'error',
      readyState: 2,
      class: ErrorClass,
      message: message.startsWith('Unsupported') ? message : PREFIX + message,
      code: name
    });

    /** Opens, writes the bytes and waits for 'close'. */
    async function provoke(frames, write) {
      const { websocket, peer } = await open(row, {
        perMessageDeflate: false
      });
      const events = trace(websocket);
      const closed = new Promise((resolve) => websocket.on('close', resolve));
      const bytes = Buffer.concat(frames.map((build) => build(key)));

      write(peer, bytes);

      const answer = await peer.frame();
      const next = await peer.frame();

      await closed;
      return {
        events: events.filter(({ event }) => event !== 'message'),
        answer,
        next
      };
    }

    test.each(cases)(
      '%s fails',
      async (_, frames, error, closeCode = 1002, name = 'RangeError') => {
        const { events, answer, next } = await provoke(frames, (peer, bytes) =>
          peer.write(bytes)
        );

        expect(events).toEqual([
          expectedOf(error, name),
          { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
        ]);
        expect(answer).toMatchObject({
          fin: true,
          rsv: 0,
          opcode: close,
          payload: closePayload(closeCode)
        });
        expect(answer.key === null).toBe(side === 'server');
        expect(next).toBe(null);
      }
    );

    test.each(cases)(
      '%s byte by byte fails alike',
      async (_, frames, error, closeCode = 1002, name = 'RangeError') => {
        const { events, answer } = await provoke(frames, (peer, bytes) => {
          peer.writeByteByByte(bytes);
        });

        expect(events).toEqual([
          expectedOf(error, name),
          { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
        ]);
        expect(answer.payload).toEqual(closePayload(closeCode));
      }
    );
  });
}

describeEach(routedImplementations, 'a protocol error', (row) => {
  const good = frame({ opcode: text, payload: 'good', key: KEY });
  const bad = frame({ opcode: 3, key: KEY });

  test('comes after the messages before it, and ends all others', async () => {
    const { websocket, peer } = await serveRaw(row);
    const events = trace(websocket);

    peer.write(good, good, bad, good, frame({ opcode: ping, key: KEY }));
    await new Promise((resolve) => websocket.on('close', resolve));
    expect(events.map(({ event }) => event)).toEqual([
      'message',
      'message',
      'error',
      'close'
    ]);
  });

  test('is one error, however much follows', async () => {
    const { websocket, peer } = await serveRaw(row);
    const onError = jest.fn();

    websocket.on('error', onError);
    peer.write(bad, bad);
    peer.write(bad);
    await new Promise((resolve) => websocket.on('close', resolve));
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('has a stack and an own code', async () => {
    const { websocket, peer } = await serveRaw(row);

    peer.write(bad);

    const [err] = await new Promise((resolve) => {
      websocket.on('error', (...args) => resolve(args));
    });

    expect(Object.keys(err)).toContain('code');
    expect(err.stack).toMatch(/^RangeError/);
    expect(describeError(err).class).toBe('RangeError');
    expect(err).toBeInstanceOf(RangeError);
  });

  test('while closing is still an error', async () => {
    const { websocket, peer } = await serveRaw(row);
    const events = trace(websocket);

    websocket.close(1000);
    expect((await peer.frame()).payload).toEqual(closePayload(1000));
    peer.write(bad);
    await new Promise((resolve) => websocket.on('close', resolve));
    expect(events).toMatchObject([
      { event: 'error', readyState: 2, code: 'WS_ERR_INVALID_OPCODE' },
      { event: 'close', readyState: 3, code: 1006 }
    ]);
    expect(await peer.frame()).toBe(null);
  });

  test.each(['close', 'terminate'])(
    'may be answered with %s() in its listener',
    async (method) => {
      const { websocket, peer } = await serveRaw(row);
      const events = trace(websocket);

      websocket.on('error', () => websocket[method]());
      peer.write(bad);
      await new Promise((resolve) => websocket.on('close', resolve));
      expect(events.map(({ event }) => event)).toEqual(['error', 'close']);
      expect(events[1].code).toBe(1006);
      await peer.ended;
    }
  );

  test('lets what is queued go out first', async () => {
    const { websocket, peer } = await serveRaw(row);

    websocket.on('error', () => {});
    websocket.on('message', () => {
      websocket.send('one');
      websocket.send(Buffer.alloc(100000, 'x'));
    });
    peer.write(good, bad);
    expect(String((await peer.frame()).payload)).toBe('one');
    expect((await peer.frame()).payload).toHaveLength(100000);
    expect((await peer.frame()).payload).toEqual(closePayload(1002));
    expect(await peer.frame()).toBe(null);
  });

  test('in the bytes that came with the request', async () => {
    let events;
    let closed;
    const { peer } = await serveRaw(
      row,
      {},
      {
        request: { after: Buffer.concat([good, bad]) },
        onWebSocket: (websocket) => {
          events = trace(websocket);
          closed = new Promise((resolve) => websocket.on('close', resolve));
        }
      }
    );

    expect((await peer.frame()).payload).toEqual(closePayload(1002));
    await closed;
    expect(events.map(({ event }) => event)).toEqual([
      'message',
      'error',
      'close'
    ]);
  });
});
