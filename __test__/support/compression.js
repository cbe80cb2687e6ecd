'use strict';

const zlib = require('zlib');

const { dialRaw, serveRaw } = require('./connection');
const { KEY } = require('./wire');

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const finishFlush = zlib.constants.Z_SYNC_FLUSH;

/** The payload of a compressed message without context. */
function deflate(data) {
  return zlib
    .deflateRawSync(Buffer.from(data), { finishFlush })
    .subarray(0, -4);
}

/** Undoes deflate(); several payloads share a context. */
function inflate(...payloads) {
  return zlib.inflateRawSync(
    Buffer.concat(payloads.flatMap((payload) => [payload, TAIL])),
    { finishFlush }
  );
}

const NAME = 'Sec-WebSocket-Extensions';

/**
 * Each role with the key of its raw peer, and `open(row, options, parameters)`
 * for a connection with compression: see serveRaw() and dialRaw().
 */
const compressingRoles = [
  {
    role: 'server',
    key: KEY,
    open: (row, options, parameters = '') =>
      serveRaw(
        row,
        { perMessageDeflate: true, ...options },
        { request: { headers: { [NAME]: `permessage-deflate${parameters}` } } }
      )
  },
  {
    role: 'client',
    key: undefined,
    open: (row, options, parameters = '') =>
      dialRaw(row, options, {
        headers: [`${NAME}: permessage-deflate${parameters}`]
      })
  }
];

module.exports = { compressingRoles, deflate, inflate };
