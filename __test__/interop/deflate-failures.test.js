'use strict';

const zlib = require('zlib');

const { compressingRoles, deflate } = require('../support/compression');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { trace } = require('../support/trace');
const { closePayload, frame, OPCODE } = require('../support/wire');
const { noise } = require('./deflate-conversation');

const { binary, close, continuation, ping, text } = OPCODE;

/** Streams that break each rule of RFC 1951, and some that only seem to. */
const streams = [
  ['a block of no type', '06'],
  ['a stored block with wrong lengths', '00 00 00 00 00'],
  ['a stored block that is cut off', '00 05 00 fa ff 61 62'],
  ['an empty stored block', '00 00 00 ff ff'],
  ['a final stored block', '01 01 00 fe ff 61'],
  ['a final fixed block', '03 00'],
  ['a final block and more behind it', '03 00 ff ff ff'],
  ['two final blocks', '4b 04 00 4b 02 00'],
  ['too many lengths', 'fc 00 00'],
  ['wrong code lengths', '04 00 fe ff'],
  ['a repetition of nothing', '04 00 24 49 00'],
  ['too long a repetition', '04 00 24 e9 ff ff'],
  ['no code for the end of the block', '04 00 24 e9 ff 6d'],
  ['wrong literals', '04 80 49 92 24 49 92 24 71 ff ff 93 11 00'],
  ['wrong distances', '04 80 49 92 24 49 92 24 0f b4 ff ff c3 84'],
  ['a code of no literal', '1b 07 00 00 00 00 00'],
  ['a code of no distance', '02 7e ff ff'],
  ['a distance before the start', '0c c0 81 00 00 00 00 00 90 ff 6b 04'],
  [
    'a long distance before the start',
    '0d c7 01 ae eb 38 0c 04 41 a0 87 72 de df fb 1f b8 36 b1 38 5d ff ff 00'
  ],
  ['a length without its distance', '63 00'],
  ['no byte', ''],
  ['zeros', '00 00 00 00 00 00 00'],
  ['ones', 'ff ff ff ff ff ff ff'],
  ['the tail that is not sent', '4a 04 00 00 00 ff ff'],
  ['half a tail', '4a 04 00 00 00']
].map(([what, hex]) => [what, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);

/** Every connection of the row gets the same frames, and ws too. */
async function observe({ role, row, key, options = {}, parameters }, frames) {
  const { open } = compressingRoles.find((each) => each.role === role);
  const { websocket, peer } = await open(row, options, parameters);
  const events = trace(websocket);
  const closed = new Promise((resolve) => websocket.on('close', resolve));

  peer.write(...frames.map((fields) => frame({ key, ...fields })));
  await closed;

  const answers = [];
  let answer;

  while ((answer = await peer.frame()) !== null) {
    const { opcode, payload } = answer;

    answers.push([opcode, payload.toString('latin1')]);
  }
  return { events, answers };
}

const end = { opcode: close, payload: closePayload(1000, 'good') };
const after = { opcode: text, rsv: 4, payload: deflate('after it') };

const sample = deflate(
  Buffer.concat(
    [3, 5, 8].map((number) =>
      Buffer.from(noise(150).map((byte) => (byte % 26) * number))
    )
  )
);
const final = zlib.deflateRawSync('the final block');
const zeros = deflate(Buffer.alloc(1000));
const random = deflate(noise(2000));

const [oracle, ...others] = routedImplementations.filter(
  ({ name }) => !/^ws, (adopted|TLS)$/.test(name)
);

/** What ws does, found once for each setup and its frames. */
const expected = new Map();

for (const { role, key } of compressingRoles) {
  describeEach(others, `as by ws, a ${role}`, (row) => {
    const same = async (frames, options, parameters) => {
      const setup = { role, key, options, parameters };
      const name = JSON.stringify([setup, frames]);

      if (!expected.has(name)) {
        expected.set(name, observe({ ...setup, row: oracle }, frames));
      }
      expect(await observe({ ...setup, row }, frames)).toEqual(
        await expected.get(name)
      );
    };

    test.each(streams)('takes or refuses %s', async (_, payload) => {
      await same([{ opcode: binary, rsv: 4, payload }, after, end]);
    });

    test.each(streams)('takes or refuses %s in bytes', async (_, payload) => {
      const bytes = Array.from(payload, (byte) => ({
        opcode: continuation,
        payload: [byte],
        fin: false
      }));

      await same([
        { opcode: binary, rsv: 4, fin: false },
        ...bytes,
        { opcode: ping },
        { opcode: continuation },
        after,
        end
      ]);
    });

    test('takes or refuses a message that is cut off', async () => {
      for (let size = 0; size <= sample.length; size += 11) {
        const payload = sample.subarray(0, size);

        await same([{ opcode: binary, rsv: 4, payload }, end]);
      }
    });

    test('takes or refuses a message with a wrong bit', async () => {
      for (let bit = 0; bit < sample.length * 8; bit += 31) {
        const payload = Buffer.from(sample);

        payload[bit >> 3] ^= 1 << (bit & 7);
        await same([{ opcode: binary, rsv: 4, payload }, after, end]);
      }
    });

    test.each([
      ['ends a fragment', [final], [noise(10)]],
      ['is followed by more in its fragment', [final, noise(10)], [sample]],
      [
        'ends in its second fragment',
        [final.subarray(0, 5)],
        [final.subarray(5)]
      ],
      ['is followed by a second one', [final], [final]]
    ])('goes on when a final block %s', async (_, first, second) => {
      await same([
        { opcode: binary, rsv: 4, fin: false, payload: Buffer.concat(first) },
        { opcode: continuation, fin: false, payload: Buffer.concat(second) },
        { opcode: continuation },
        after,
        { opcode: ping },
        after,
        end
      ]);
    });

    test.each([
      ['the message', 999, [zeros]],
      ['the message', 1000, [zeros]],
      ['the message', 1, [zeros]],
      ['the second fragment', 1999, [zeros, zeros]],
      ['the second fragment', 2000, [zeros, zeros]],
      ['an empty fragment', 1000, [zeros, Buffer.alloc(0)]],
      ['the compressed frame', random.length - 1, [random]],
      ['the compressed frames', random.length + 10, [random, random]]
    ])('limits %s at %i bytes', async (_, maxPayload, payloads) => {
      await same(
        [
          ...payloads.map((payload, index) => ({
            opcode: index === 0 ? binary : continuation,
            rsv: index === 0 ? 4 : 0,
            fin: index === payloads.length - 1,
            payload
          })),
          { opcode: ping },
          end
        ],
        { maxPayload },
        '; server_no_context_takeover; client_no_context_takeover'
      );
    });
  });
}
