'use strict';

const { Writable } = require('stream');

const { describeEach, implementations } = require('../support/implementations');
const { describeData, describeError } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, pong, text } = OPCODE;

/** All that a Receiver emits, as it comes. */
function record(receiver) {
  const events = [];

  receiver.on('message', (data, isBinary) => {
    events.push(['message', describeData(data), isBinary]);
  });
  receiver.on('ping', (data) => events.push(['ping', describeData(data)]));
  receiver.on('pong', (data) => events.push(['pong', describeData(data)]));
  receiver.on('conclude', (code, reason) => {
    events.push(['conclude', code, describeData(reason)]);
  });
  receiver.on('error', (err) => events.push(['error', describeError(err)]));
  receiver.on('finish', () => events.push(['finish']));
  return events;
}

const everything = (key) =>
  Buffer.concat([
    frame({ opcode: text, payload: 'Hello', key }),
    frame({ opcode: ping, payload: 'p', key }),
    frame({ opcode: binary, payload: 'ab', fin: false, key }),
    frame({ opcode: pong, payload: 'q', key }),
    frame({ opcode: continuation, payload: 'cd', key }),
    frame({ opcode: text, key }),
    frame({ opcode: binary, payload: Buffer.alloc(300, 'x'), key }),
    frame({ opcode: close, payload: closePayload(1000, 'Bye'), key })
  ]);
const expected = [
  ['message', 'Buffer(5) Hello', false],
  ['ping', 'Buffer(1) p'],
  ['pong', 'Buffer(1) q'],
  ['message', 'Buffer(4) abcd', true],
  ['message', 'Buffer(0) ', false],
  ['message', expect.stringMatching(/^Buffer\(300\) /), true],
  ['conclude', 1000, 'Buffer(3) Bye']
];

describeEach(implementations, 'a Receiver', ({ lib }) => {
  const { PerMessageDeflate, Receiver } = lib;

  test('is a Writable', () => {
    expect(new Receiver()).toBeInstanceOf(Writable);
  });

  test('emits inside write()', () => {
    const receiver = new Receiver({ isServer: true });
    const events = record(receiver);

    receiver.write(everything(KEY));
    expect(events).toEqual(expected);
  });

  test.each([1, 2, 3, 5, 100])('takes chunks of %p bytes', (size) => {
    const receiver = new Receiver();
    const events = record(receiver);
    const bytes = everything();

    for (let start = 0; start < bytes.length; start += size) {
      receiver.write(bytes.subarray(start, start + size));
    }
    expect(events).toEqual(expected);
  });

  test('finishes after the close frame', async () => {
    const receiver = new Receiver();
    const events = record(receiver);

    receiver.write(everything());
    await new Promise((resolve) => receiver.on('finish', resolve));
    expect(events[events.length - 1]).toEqual(['finish']);
  });

  test.each([
    ['arraybuffer', 'ArrayBuffer(4) abcd'],
    ['fragments', ['Buffer(2) ab', 'Buffer(2) cd']],
    ['nodebuffer', 'Buffer(4) abcd']
  ])('has the option binaryType %s', (binaryType, data) => {
    const receiver = new Receiver({ binaryType });
    const events = record(receiver);

    receiver.write(everything());
    expect(events[3]).toEqual(['message', data, true]);
  });

  test('waits a turn for each event without allowSynchronousEvents', async () => {
    const receiver = new Receiver({ allowSynchronousEvents: false });
    const events = record(receiver);

    receiver.write(everything());
    expect(events).toEqual([]);
    await new Promise((resolve) => receiver.on('finish', resolve));
    expect(events).toEqual([...expected, ['finish']]);
  });

  test.each([
    [
      'maxPayload',
      { maxPayload: 4 },
      [frame({ opcode: text, payload: 'Hello' })],
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
    ],
    [
      'maxFragments',
      { maxFragments: 1 },
      [frame({ opcode: text, fin: false }), frame({ opcode: continuation })],
      'WS_ERR_TOO_MANY_BUFFERED_PARTS'
    ],
    [
      'maxBufferedChunks',
      { maxBufferedChunks: 2 },
      [
        frame({ opcode: text, length: 100 }),
        Buffer.from('a'),
        Buffer.from('b'),
        Buffer.from('c')
      ],
      'WS_ERR_TOO_MANY_BUFFERED_PARTS'
    ],
    [
      'isServer',
      { isServer: true },
      [frame({ opcode: text })],
      'WS_ERR_EXPECTED_MASK'
    ]
  ])('has the option %s', async (_, options, chunks, code) => {
    const receiver = new Receiver(options);
    const failed = new Promise((resolve) => receiver.on('error', resolve));

    for (const chunk of chunks) receiver.write(chunk);
    expect((await failed).code).toBe(code);
  });

  test('has the option skipUTF8Validation', () => {
    const receiver = new Receiver({ skipUTF8Validation: true });
    const events = record(receiver);

    receiver.write(frame({ opcode: text, payload: Buffer.from([0xff]) }));
    expect(events).toEqual([['message', 'Buffer(1) \xff', false]]);
  });

  test('says once what is wrong', async () => {
    const receiver = new Receiver();
    const events = record(receiver);
    const failed = new Promise((resolve) => receiver.on('error', resolve));

    receiver.write(
      Buffer.concat([
        frame({ opcode: text, payload: 'a' }),
        frame({ opcode: 3 })
      ])
    );
    await failed;
    expect(events).toEqual([
      ['message', 'Buffer(1) a', false],
      [
        'error',
        {
          class: 'RangeError',
          message: 'Invalid WebSocket frame: invalid opcode 3',
          code: 'WS_ERR_INVALID_OPCODE'
        }
      ]
    ]);
  });

  test('inflates', async () => {
    const deflate = new PerMessageDeflate();

    deflate.accept([{}]);

    const receiver = new Receiver({
      extensions: { 'permessage-deflate': deflate }
    });
    const received = new Promise((resolve) => {
      receiver.on('message', (data) => resolve(String(data)));
    });

    deflate.compress(Buffer.from('Hello'), true, (err, payload) => {
      receiver.write(frame({ opcode: text, rsv: 4, payload }));
    });
    expect(await received).toBe('Hello');
    deflate.cleanup();
  });
});
