'use strict';

const { parseExtensions } = require('./native/addon');
const { createSyntaxError } = require('./errors/protocol-errors');

/**
 * Parses a `Sec-WebSocket-Extensions` header (RFC 6455, section 9.1).
 *
 * @param {string} header
 * @return {Object<string, Object<string, (string|true)[]>[]>} Of each extension
 *     its offers, of each offer its parameters, of each parameter its values;
 *     `true` stands for a parameter without a value
 * @throws {SyntaxError}
 */
function parse(header) {
  const offers = parseExtensions(header);

  if (typeof offers === 'number') throw createSyntaxError(offers);

  const extensions = Object.create(null);

  for (const { name, params } of offers) {
    const values = Object.create(null);

    for (const { name, value = true } of params)
      (values[name] ??= []).push(value);

    (extensions[name] ??= []).push(values);
  }

  return extensions;
}

/**
 * Writes a `Sec-WebSocket-Extensions` header.
 *
 * @param {Object<string, (Object|Object[])>} extensions Of each extension its
 *     offers; a parameter has a value, or an array of values
 * @return {string}
 */
function format(extensions) {
  return Object.entries(extensions)
    .flatMap(([name, offers]) => list(offers).map((o) => formatOffer(name, o)))
    .join(', ');
}

function formatOffer(name, offer) {
  const params = Object.entries(offer).flatMap(([param, values]) =>
    list(values).map((value) => (value === true ? param : `${param}=${value}`))
  );

  return [name, ...params].join('; ');
}

function list(value) {
  return Array.isArray(value) ? value : [value];
}

module.exports = { format, parse };
