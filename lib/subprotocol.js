'use strict';

const { parseSubprotocols } = require('./native/addon');
const { createSyntaxError } = require('./errors/protocol-errors');

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

module.exports = { parse };
