'use strict';

const { formatHead } = require('../handshake/upgrade-response');

/** What has no meaning in HTTP/2 (RFC 9113, section 8.2.2). */
const CONNECTION_FIELDS = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade'
]);

/** Fields whose values are not one list (RFC 9110, section 5.3; RFC 9113, 8.2.3). */
const SEPARATE = new Set(['cookie', 'set-cookie']);

/** The name is a token, the value without what is around it (RFC 9110, section 5). */
const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*(.*[^\t ])?[\t ]*$/;

/**
 * What Node's HTTP/2 takes for lines of a head of HTTP/1.1. It ends the session
 * for a name that is none, and writes a byte for each character of a value.
 *
 * @param {string[]} lines
 * @param {BufferEncoding} encoding That of their bytes over HTTP/1.1
 * @return {Object<string, (string|string[])>}
 * @throws {TypeError} If one of them is no field
 */
function fieldsOf(lines, encoding) {
  const fields = Object.create(null);

  formatHead(lines);

  for (const line of lines) {
    const [, name, text = ''] = LINE.exec(line) ?? [];

    if (name === undefined) {
      throw new TypeError(`Invalid header ${JSON.stringify(line)}`);
    }

    const key = name.toLowerCase();
    const value = Buffer.from(text, encoding).toString('latin1');

    if (isOfConnection(key, value)) continue;

    if (!(key in fields)) fields[key] = value;
    else if (SEPARATE.has(key)) fields[key] = [fields[key], value].flat();
    else fields[key] += `, ${value}`;
  }

  return fields;
}

/** TE goes on where it says no more than that trailers are taken. */
function isOfConnection(name, value) {
  return CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers');
}

/**
 * The lines for fields by name, of which some have several values.
 *
 * @param {Object<string, *>} headers
 * @return {string[]}
 */
function linesOf(headers) {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}`)
  );
}

module.exports = { fieldsOf, linesOf };
