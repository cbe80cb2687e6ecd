'use strict';

const { parseSubprotocols } = require('./native');
const { createSyntaxError } = require('./errors');

/** A token (RFC 9110, section 5.6.2), which is what a name has to be. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Parses a `Sec-WebSocket-Protocol` header of a request.
 *
 * @param {string} header
 * @return {Set<string>} The names, in the order of preference
 * @throws {SyntaxError}
 */
function parse(header) {
  const { names, error } = parseSubprotocols(header);
  const protocols = new Set();

  for (const name of names) {
    if (protocols.has(name)) {
      throw new SyntaxError(`The "${name}" subprotocol is duplicated`);
    }

    protocols.add(name);
  }

  if (error !== undefined) throw createSyntaxError(error);

  return protocols;
}

/**
 * Checks the names that a client wants to offer.
 *
 * @param {*[]} names
 * @return {Set<string>}
 * @throws {SyntaxError}
 */
function validate(names) {
  const protocols = new Set(names);
  const areTokens = names.every(
    (name) => typeof name === 'string' && TOKEN.test(name)
  );

  if (!areTokens || protocols.size !== names.length) {
    throw new SyntaxError('An invalid or duplicated subprotocol was specified');
  }

  return protocols;
}

module.exports = { parse, validate };
