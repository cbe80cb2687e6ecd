'use strict';

const ClientHandshake = require('./client-handshake');

/** @typedef {import('../websocket')} WebSocket */

/**
 * Connects a WebSocket that was just created.
 *
 * @param {WebSocket} websocket
 * @param {(string|URL)} address
 * @param {(string|string[]|Object)} [protocols] The subprotocols to offer; or
 *     the options
 * @param {Object} [options]
 * @return {Object} The options with what they default to
 * @throws {(SyntaxError|RangeError|TypeError)} If an argument is invalid
 */
function connect(websocket, address, protocols, options) {
  const hasOptionsSecond =
    typeof protocols === 'object' &&
    protocols !== null &&
    !Array.isArray(protocols);

  if (hasOptionsSecond) {
    options = protocols;
    protocols = undefined;
  }

  if (protocols === undefined) protocols = options?.protocols;
  if (protocols === undefined) protocols = [];
  if (!Array.isArray(protocols)) protocols = [protocols];

  const handshake = new ClientHandshake(websocket, address, protocols, options);

  handshake.start();

  return handshake.settings;
}

module.exports = { connect };
