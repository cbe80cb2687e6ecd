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
  const text = parseExtensions(header);

  if (typeof text === 'number') throw createSyntaxError(text);

  const extensions = Object.create(null);

  // No token has a comma, a semicolon or an equals sign.
  for (const offer of text.split(', ')) {
    const params = offer.split('; ');
    const values = Object.create(null);

    for (let i = 1; i < params.length; i++) {
      const end = params[i].indexOf('=');

      if (end === -1) append(values, params[i], true);
      else append(values, params[i].slice(0, end), params[i].slice(end + 1));
    }

    append(extensions, params[0], values);
  }

  return extensions;
}

function append(lists, name, value) {
  const list = lists[name];

  if (list === undefined) lists[name] = [value];
  else list.push(value);
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
