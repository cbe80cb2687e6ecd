'use strict';

const { describeRoutes, messages } = require('./support/matrix');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

/** `[who sees it, who did it, the masking key of the latter]` */
const sides = [
  ['server', 'client', KEY],
  ['client', 'server', undefined]
];

/** `[what, fields of the frame, line of the error, close code sent]` */
const violations = [
  [
    'an unknown opcode',
    { opcode: 3 },
    'RangeError WS_ERR_INVALID_OPCODE Invalid WebSocket frame: invalid opcode 3',
    1002
  ],
  [
    'RSV1 without an extension',
    { opcode: OPCODE.text, rsv: 4 },
    'RangeError WS_ERR_UNEXPECTED_RSV_1 Invalid WebSocket frame: RSV1 must be clear',
    1002
  ],
  [
    'RSV2',
    { opcode: OPCODE.text, rsv: 2 },
    'RangeError WS_ERR_UNEXPECTED_RSV_2_3 Invalid WebSocket frame: RSV2 and RSV3 must be clear',
    1002
  ],
  [
    'a fragmented ping',
    { opcode: OPCODE.ping, fin: false },
    'RangeError WS_ERR_EXPECTED_FIN Invalid WebSocket frame: FIN must be set',
    1002
  ],
  [
    'a continuation of nothing',
    { opcode: OPCODE.continuation },
    'RangeError WS_ERR_INVALID_OPCODE Invalid WebSocket frame: invalid opcode 0',
    1002
  ],
  [
    'a long ping',
    { opcode: OPCODE.ping, payload: Buffer.alloc(126) },
    'RangeError WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH Invalid WebSocket frame: invalid payload length 126',
    1002
  ],
  [
    'an invalid close code',
    { opcode: OPCODE.close, payload: closePayload(1005) },
    'RangeError WS_ERR_INVALID_CLOSE_CODE Invalid WebSocket frame: invalid status code 1005',
    1002
  ],
  [
    'text that is no UTF-8',
    { opcode: OPCODE.text, payload: Buffer.from([0xff]) },
    'Error WS_ERR_INVALID_UTF8 Invalid WebSocket frame: invalid UTF-8 sequence',
    1007
  ],
  [
    'a message above maxPayload',
    { opcode: OPCODE.binary, payload: Buffer.alloc(1001) },
    'RangeError WS_ERR_UNSUPPORTED_MESSAGE_LENGTH Max payload size exceeded',
    1009
  ]
];

describeRoutes('a violation', (open) => {
  describe.each(sides)('seen by the %s', (judge, culprit, key) => {
    test.each(violations)('%s', async (_, fields, line, code) => {
      const connection = await open({ [judge]: { maxPayload: 1000 } });
      const { closed, events } = connection;
      const arrival = messages(connection[judge], 1);

      connection[culprit].send('fine');
      await arrival;
      connection[culprit]._socket.write(
        Buffer.concat([
          frame({ ...fields, key }),
          frame({ opcode: OPCODE.text, payload: 'too late', key })
        ])
      );
      await closed;
      expect(events[judge]).toEqual([
        '1 message text Buffer(4) fine',
        `2 error ${line}`,
        '3 close 1006 Buffer(0) '
      ]);
      expect(events[culprit]).toEqual([`3 close ${code} Buffer(0) `]);
    });

    test('a frame that is masked when it must not be', async () => {
      const connection = await open();
      const { closed, events } = connection;
      const expected = key
        ? 'WS_ERR_EXPECTED_MASK Invalid WebSocket frame: MASK must be set'
        : 'WS_ERR_UNEXPECTED_MASK Invalid WebSocket frame: MASK must be clear';

      connection[culprit].send('x', { mask: !key });
      await closed;
      expect(events[judge]).toEqual([
        `2 error RangeError ${expected}`,
        '3 close 1006 Buffer(0) '
      ]);
      expect(events[culprit]).toEqual(['3 close 1002 Buffer(0) ']);
    });

    test('too many fragments', async () => {
      const connection = await open({ [judge]: { maxFragments: 3 } });
      const { closed, events } = connection;

      for (const data of ['1', '2', '3', '4']) {
        connection[culprit].send(data, { fin: false });
      }
      await closed;
      expect(events[judge]).toEqual([
        '2 error RangeError WS_ERR_TOO_MANY_BUFFERED_PARTS ' +
          'Too many message fragments',
        '3 close 1006 Buffer(0) '
      ]);
      expect(events[culprit]).toEqual(['3 close 1008 Buffer(0) ']);
    });
  });
});
