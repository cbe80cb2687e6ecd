'use strict';

/**
 * A masking key of the user's making, as the addon wants it.
 *
 * @param {function(Buffer): void} generateMask
 * @param {Buffer} buffer Four bytes, which it fills
 * @return {number}
 */
function maskingKey(generateMask, buffer) {
  generateMask(buffer);

  return buffer.readUInt32LE(0);
}

module.exports = maskingKey;
