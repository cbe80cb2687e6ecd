'use strict';

/** Slots of a cluster of Redis. */
const SLOTS = 16_384;

/** The remainders of CRC-16/XMODEM, for each byte. */
const REMAINDERS = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;

  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder << 1) ^ (remainder & 0x8000 ? 0x1021 : 0);
  }
  return remainder;
});

/**
 * The slot of a sharded channel: of what is between its first braces, if that is
 * something.
 *
 * @param {string} channel
 * @return {number}
 */
function slotOf(channel) {
  const start = channel.indexOf('{') + 1;
  const end = start > 0 ? channel.indexOf('}', start) : -1;
  let crc = 0;

  for (const byte of Buffer.from(
    end > start ? channel.slice(start, end) : channel
  )) {
    crc = ((crc << 8) & 0xffff) ^ REMAINDERS[(crc >> 8) ^ byte];
  }
  return crc % SLOTS;
}

module.exports = slotOf;
