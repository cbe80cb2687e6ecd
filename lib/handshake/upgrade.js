'use strict';

const http = require('http');

const subprotocol = require('../subprotocol');

/**
 * Why a request is refused; the status code is 400 unless told otherwise.
 *
 * @typedef {{code?: number, message: string, headers?: Object}} Fault
 */

/** What no line of a head may contain (RFC 9110, section 5.5). */
const FORBIDDEN = /[^\t -~\x80-\uffff]/;

/** 16 bytes in base64 (RFC 6455, section 4.2.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

const VERSIONS = [13, 8];

/**
 * Tells what keeps a request from being an opening handshake (RFC 6455,
 * section 4.2.1).
 *
 * @param {http.IncomingMessage} request
 * @return {(Fault|undefined)}
 */
function findFault({ headers, method }) {
  if (method !== 'GET') return { code: 405, message: 'Invalid HTTP method' };

  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return { message: 'Invalid Upgrade header' };
  }

  if (!KEY.test(headers['sec-websocket-key'])) {
    return { message: 'Missing or invalid Sec-WebSocket-Key header' };
  }

  if (!VERSIONS.includes(Number(headers['sec-websocket-version']))) {
    return {
      message: 'Missing or invalid Sec-WebSocket-Version header',
      headers: { 'Sec-WebSocket-Version': '13, 8' }
    };
  }
}

/**
 * The subprotocols that a request offers.
 *
 * @param {http.IncomingMessage} request
 * @return {Set<string>}
 * @throws {SyntaxError}
 */
function readProtocols({ headers }) {
  const header = headers['sec-websocket-protocol'];

  return header === undefined ? new Set() : subprotocol.parse(header);
}

/**
 * Where a request comes from; version 8 has a header field of its own for it.
 *
 * @param {http.IncomingMessage} request
 * @return {(string|string[]|undefined)}
 */
function originOf({ headers }) {
  return Number(headers['sec-websocket-version']) === 8
    ? headers['sec-websocket-origin']
    : headers.origin;
}

/**
 * The head of a response.
 *
 * @param {string[]} lines
 * @return {string}
 * @throws {TypeError} If one of them has a line break or another control
 *     character in it: whoever chose it could write a response of his own
 */
function headOf(lines) {
  for (const line of lines) {
    if (FORBIDDEN.test(line)) {
      throw Object.assign(
        new TypeError(`Invalid character in header ${JSON.stringify(line)}`),
        { code: 'ERR_INVALID_CHAR' }
      );
    }
  }

  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * A whole response that refuses a request.
 *
 * @param {number} code The status code
 * @param {string} [message] The body; by default the text of the code
 * @param {Object<string, *>} [headers] Fields to add
 * @return {string}
 * @throws {TypeError} As `headOf()` does
 */
function response(code, message, headers) {
  const status = http.STATUS_CODES[code];
  const body = message || status;
  const fields = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
    ...headers
  };
  const lines = Object.entries(fields).map(
    ([name, value]) => `${name}: ${value}`
  );

  return headOf([`HTTP/1.1 ${code} ${status}`, ...lines]) + body;
}

module.exports = { findFault, headOf, originOf, readProtocols, response };
