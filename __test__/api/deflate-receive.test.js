'use strict';

const { once } = require('events');
const zlib = require('zlib');

const { compressingRoles, deflate } = require('../support/compression');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { trace } = require('../support/trace');
const { closePayload, frame, OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, text } = OPCODE;

for (const { role, key, open } of compressingRoles) {
  describeEach(routedImplementations, `a compressing ${role}`, (row) => {
    const make = (fields) => frame({ key, ...fields });
    const compressed = (data, fields) =>
      make({ opcode: text, rsv: 4, payload: deflate(data), ...fields });

    test.each([
      ['short', 'Hello'],
      ['empty', ''],
      ['long', 'abc'.repeat(100000)]
    ])('receives a %s message', async (_, data) => {
      const { websocket, peer } = await open(row);
      const received = [];
      const finished = new Promise((resolve) => {
        websocket.on('message', (message, isBinary) => {
          received.push([String(message) === data, isBinary]);
          if (received.length === 2) resolve();
        });
      });

      peer.write(compressed(data), compressed(data, { opcode: binary }));
      await finished;
      expect(received).toEqual([
        [true, false],
        [true, true]
      ]);
    });

    test('receives compressed and plain messages in order', async () => {
      const { websocket, peer } = await open(row);
      const received = [];

      websocket.on('message', (data) => received.push(String(data)));
      websocket.on('ping', (data) => received.push(`ping ${data}`));
      peer.write(
        compressed('one'),
        make({ opcode: text, payload: 'two' }),
        make({ opcode: ping, payload: 'three' }),
        compressed('four'.repeat(50000)),
        make({ opcode: text, payload: 'five' }),
        make({ opcode: ping, payload: 'six' }),
        make({ opcode: close, payload: closePayload(1000) })
      );
      expect((await once(websocket, 'close'))[0]).toBe(1000);
      expect(received).toEqual([
        'one',
        'two',
        'ping three',
        'four'.repeat(50000),
        'five',
        'ping six'
      ]);
    });

    test('receives a compressed message in fragments', async () => {
      const { websocket, peer } = await open(row);
      const payload = deflate('fragments of a compressed message');
      const cuts = [0, 1, 5, 5, payload.length];

      for (let index = 0; index < 4; index++) {
        peer.write(
          make({
            opcode: index === 0 ? text : continuation,
            rsv: index === 0 ? 4 : 0,
            fin: index === 3,
            payload: payload.subarray(cuts[index], cuts[index + 1])
          }),
          make({ opcode: ping })
        );
      }
      expect(String((await once(websocket, 'message'))[0])).toBe(
        'fragments of a compressed message'
      );
    });

    test('keeps the context between messages', async () => {
      const { websocket, peer } = await open(row);
      const stream = zlib.createDeflateRaw();
      const flush = (data) =>
        new Promise((resolve) => {
          const chunks = [];
          const onData = (chunk) => chunks.push(chunk);

          stream.on('data', onData);
          stream.write(data);
          stream.flush(zlib.constants.Z_SYNC_FLUSH, () => {
            stream.off('data', onData);
            resolve(Buffer.concat(chunks).subarray(0, -4));
          });
        });
      const payloads = [await flush('same text'), await flush('same text')];
      const received = [];
      const finished = new Promise((resolve) => {
        websocket.on('message', (data) => {
          received.push(String(data));
          if (received.length === 2) resolve();
        });
      });

      expect(payloads[1].length).toBeLessThan(payloads[0].length);
      for (const payload of payloads) {
        peer.write(make({ opcode: text, rsv: 4, payload }));
      }
      await finished;
      expect(received).toEqual(['same text', 'same text']);
    });

    test('accepts a final block and goes on', async () => {
      const { websocket, peer } = await open(row);
      const payload = Buffer.concat([
        zlib.deflateRawSync(Buffer.from('final')),
        Buffer.from([0])
      ]);
      const received = [];
      const finished = new Promise((resolve) => {
        websocket.on('message', (data) => {
          received.push(String(data));
          if (received.length === 2) resolve();
        });
      });

      peer.write(
        make({ opcode: text, rsv: 4, payload }),
        compressed('and then')
      );
      await finished;
      expect(received).toEqual(['final', 'and then']);
    });

    async function failure(options, ...frames) {
      const { websocket, peer } = await open(row, options);
      const events = trace(websocket);

      peer.write(...frames);

      const sent = await peer.frame();

      if (websocket.readyState !== 3) {
        await new Promise((resolve) => websocket.on('close', resolve));
      }
      return { events, code: sent.payload.readUInt16BE(0) };
    }

    test('fails on data that is not deflated', async () => {
      const payload = Buffer.from([0xff, 0xff, 0xff, 0xff]);
      const { events, code } = await failure(
        {},
        make({ opcode: text, rsv: 4, payload })
      );

      expect(code).toBe(1007);
      expect(events).toEqual([
        {
          event: 'error',
          readyState: 2,
          class: 'Error',
          message: 'invalid block type',
          code: 'Z_DATA_ERROR',
          errno: -3
        },
        { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
      ]);
    });

    test('fails on a message that inflates beyond maxPayload', async () => {
      const { events, code } = await failure(
        { maxPayload: 1000 },
        compressed('x'.repeat(1001))
      );

      expect(code).toBe(1009);
      expect(events[0]).toEqual({
        event: 'error',
        readyState: 2,
        class: 'RangeError',
        message: 'Max payload size exceeded',
        code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
      });
    });

    test('accepts a message that inflates to maxPayload', async () => {
      const { websocket, peer } = await open(row, { maxPayload: 1000 });

      peer.write(compressed('x'.repeat(1000)));
      expect((await once(websocket, 'message'))[0]).toHaveLength(1000);
    });

    test('fails on RSV1 where it has no meaning', async () => {
      for (const frames of [
        [make({ opcode: ping, rsv: 4 })],
        [
          compressed('x', { fin: false }),
          make({ opcode: continuation, rsv: 4 })
        ]
      ]) {
        const { events, code } = await failure({}, ...frames);

        expect(code).toBe(1002);
        expect(events[0].code).toBe('WS_ERR_UNEXPECTED_RSV_1');
      }
    });

    test('fails on a compressed text that is no UTF-8', async () => {
      const { events, code } = await failure(
        {},
        compressed(Buffer.from([0x61, 0xff]))
      );

      expect(code).toBe(1007);
      expect(events[0].code).toBe('WS_ERR_INVALID_UTF8');
    });

    test('delivers what is still being inflated before the close', async () => {
      const { websocket, peer } = await open(row);
      const events = [];

      websocket.on('message', (data) => events.push(data.length));
      websocket.on('close', (code) => events.push(code));
      peer.socket.end(
        Buffer.concat([
          compressed('x'.repeat(2000000), { opcode: binary }),
          compressed('y'.repeat(10))
        ])
      );
      await once(websocket, 'close');
      expect(events).toEqual([2000000, 10, 1006]);
    });
  });
}
