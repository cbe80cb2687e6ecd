'use strict';

const http = require('http');

/** What no line of a head may contain (RFC 9110, section 5.5). */
const FORBIDDEN = /[^\t -~\x80-\uffff]/;

/**
 * The head of a response.
 *
 * @param {string[]} lines
 * @return {string}
 * @throws {TypeError} If one of them has a line break or another control
 *     character in it: that could begin another header, or a body
 */
function formatHead(lines) {
  // One search takes a third of the time of one a line.
  if (FORBIDDEN.test(lines.join(''))) {
    const line = lines.find((line) => FORBIDDEN.test(line));

    throw Object.assign(
      new TypeError(`Invalid character in header ${JSON.stringify(line)}`),
      { code: 'ERR_INVALID_CHAR' }
    );
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
 * @throws {TypeError} As `formatHead()` does
 */
function formatResponse(code, message, headers) {
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

  return formatHead([`HTTP/1.1 ${code} ${status}`, ...lines]) + body;
}

module.exports = { formatHead, formatResponse };
