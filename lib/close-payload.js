'use strict';

const { isUint8Array } = require('util').types;

const { EMPTY } = require('./payload');

/** 125 bytes of a control frame, less the status code. */
const MAX_REASON_LENGTH = 123;

/**
 * Makes the payload of a close frame (RFC 6455, section 5.5.1).
 *
 * @param {number} [code] The status code; without it the payload is empty
 * @param {(string|Uint8Array)} [reason]
 * @return {Buffer}
 * @throws {(TypeError|RangeError)} If one of them may not be sent
 */
function closePayload(code, reason) {
  if (code === undefined) return EMPTY;

  if (!isValidCloseCode(code)) {
    throw new TypeError('First argument must be a valid error code number');
  }

  const length =
    reason === undefined || !reason.length ? 0 : Buffer.byteLength(reason);

  if (length > MAX_REASON_LENGTH) {
    throw new RangeError('The message must not be greater than 123 bytes');
  }

  if (length > 0 && typeof reason !== 'string' && !isUint8Array(reason)) {
    throw new TypeError('Second argument must be a string or a Uint8Array');
  }

  const payload = Buffer.allocUnsafe(2 + length);

  payload.writeUInt16BE(code);

  if (typeof reason === 'string') payload.write(reason, 2);
  else if (length > 0) payload.set(reason, 2);

  return payload;
}

/**
 * Tells whether a close frame may carry a status code: one that is registered
 * and not reserved for local use, or one for libraries and applications (RFC
 * 6455, section 7.4).
 */
function isValidCloseCode(code) {
  if (typeof code !== 'number') return false;
  if (code >= 3000) return code <= 4999;

  return (
    code >= 1000 &&
    code <= 1014 &&
    code !== 1004 &&
    code !== 1005 &&
    code !== 1006
  );
}

module.exports = closePayload;
