'use strict';

const { randomFillSync } = require('crypto');

/** What messages are cut from. */
const noise = randomFillSync(Buffer.alloc(1 << 21));
const text = Buffer.from(
  '{"name":"ä€𝄞","values":[1,2.5,null,true]} '.repeat(1 << 15)
);

/** Lengths: mostly short, up to a MiB. */
const LIMITS = [1, 126, 126, 126, 1000, 1000, 5000, 70000, 300000, 1 << 20];

/**
 * A message.
 *
 * @returns {{ data: Buffer, binary: boolean }}
 */
function message(random) {
  const length = random.below(random.pick(LIMITS));
  const binary = random.oneIn(2);
  const source = binary ? noise : text;
  const start = random.below(source.length - length);
  const data = source.subarray(start, start + length);

  // Text may not begin or end in the middle of a character.
  return binary
    ? { data, binary }
    : { data: Buffer.from(data.toString().replaceAll('\ufffd', '')), binary };
}

module.exports = { message };
