'use strict';

const { kStatusCode, readyStates } = require('../constants');

const PREFIX = 'Invalid WebSocket frame: ';

/** zlib's texts, in the order of `InflateFault::TEXTS`. */
const INFLATE_TEXTS = [
  'invalid block type',
  'invalid stored block lengths',
  'too many length or distance symbols',
  'invalid code lengths set',
  'invalid bit length repeat',
  'invalid code -- missing end-of-block',
  'invalid literal/lengths set',
  'invalid distances set',
  'invalid literal/length code',
  'invalid distance code',
  'invalid distance too far back',
  'Zlib error'
];

/**
 * What a peer can do wrong, by the kinds of `src/protocol/violation.rs`: the
 * class and the code of the error, the status code that closes the connection
 * (RFC 6455, section 7.4.1), and the text.
 *
 * @typedef {(Error & {code?: string, errno?: number})} CodedError
 * @type {Object<number, [new (text: string) => CodedError, string, number,
 *     function(number): string]>}
 */
const VIOLATIONS = {
  1: [
    RangeError,
    'WS_ERR_EXPECTED_FIN',
    1002,
    () => `${PREFIX}FIN must be set`
  ],
  2: [
    RangeError,
    'WS_ERR_EXPECTED_MASK',
    1002,
    () => `${PREFIX}MASK must be set`
  ],
  3: [
    RangeError,
    'WS_ERR_UNEXPECTED_MASK',
    1002,
    () => `${PREFIX}MASK must be clear`
  ],
  4: [
    RangeError,
    'WS_ERR_INVALID_CLOSE_CODE',
    1002,
    (code) => `${PREFIX}invalid status code ${code}`
  ],
  5: [
    RangeError,
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    1002,
    (length) => `${PREFIX}invalid payload length ${length}`
  ],
  6: [
    RangeError,
    'WS_ERR_INVALID_OPCODE',
    1002,
    (opcode) => `${PREFIX}invalid opcode ${opcode}`
  ],
  7: [
    Error,
    'WS_ERR_INVALID_UTF8',
    1007,
    () => `${PREFIX}invalid UTF-8 sequence`
  ],
  8: [
    RangeError,
    'WS_ERR_UNEXPECTED_RSV_1',
    1002,
    () => `${PREFIX}RSV1 must be clear`
  ],
  9: [
    RangeError,
    'WS_ERR_UNEXPECTED_RSV_2_3',
    1002,
    () => `${PREFIX}RSV2 and RSV3 must be clear`
  ],
  10: [
    RangeError,
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    1008,
    () => 'Too many message fragments'
  ],
  11: [
    RangeError,
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    1008,
    () => 'Too many buffered chunks'
  ],
  12: [
    RangeError,
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    1009,
    () => 'Unsupported WebSocket frame: payload length > 2^53 - 1'
  ],
  13: [
    RangeError,
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    1009,
    () => 'Max payload size exceeded'
  ],
  14: [Error, 'Z_DATA_ERROR', 1007, (index) => INFLATE_TEXTS[index]]
};

const Z_DATA_ERROR = -3;

/**
 * Makes the error of a violation that the native half found.
 *
 * @param {number} kind The number of its kind
 * @param {number} [detail] The value that its text names
 * @return {(Error|RangeError)} The error; its `kStatusCode` is the close code
 */
function createViolation(kind, detail) {
  const [Type, code, statusCode, text] = VIOLATIONS[kind];
  const err = new Type(text(detail));

  Error.captureStackTrace(err, createViolation);

  if (code === 'Z_DATA_ERROR') err.errno = Z_DATA_ERROR;
  err.code = code;
  err[kStatusCode] = statusCode;

  return err;
}

/**
 * Makes the error for a message that never left.
 *
 * @param {string} activity What was being done with it
 * @return {Error}
 */
function createAbort(activity) {
  return new Error(`The socket was closed while ${activity}`);
}

/**
 * Makes the error for a header that cannot be parsed.
 *
 * @param {number} index Where the parser stopped; -1 for the end of the header
 * @return {SyntaxError}
 */
function createSyntaxError(index) {
  return new SyntaxError(
    index === -1
      ? 'Unexpected end of input'
      : `Unexpected character at index ${index}`
  );
}

/**
 * @param {number} readyState
 * @return {Error} That nothing can be sent in this state
 */
function createNotOpen(readyState) {
  const name = Object.keys(readyStates)[readyState];

  return new Error(`WebSocket is not open: readyState ${readyState} (${name})`);
}

module.exports = {
  createAbort,
  createNotOpen,
  createSyntaxError,
  createViolation
};
