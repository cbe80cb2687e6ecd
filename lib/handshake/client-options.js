'use strict';

const querystring = require('querystring');
const { URL } = require('url');

const { connectionDefaults } = require('../constants');

const PROTOCOL_VERSIONS = [8, 13];

/** A token (RFC 9110, section 5.6.2), which a subprotocol's name has to be. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The options of a client and what they default to. Where to connect to is not
 * among them: `setTarget()` adds it.
 *
 * @param {Object} [options] The user's
 * @return {Object}
 * @throws {RangeError} If there is no such version of the protocol
 */
function resolveSettings(options) {
  const settings = {
    ...connectionDefaults,
    followRedirects: false,
    maxRedirects: 10,
    perMessageDeflate: true,
    protocolVersion: PROTOCOL_VERSIONS[1],
    ...options,
    // These are taken from the address.
    host: undefined,
    hostname: undefined,
    method: 'GET',
    path: undefined,
    port: undefined,
    protocol: undefined,
    protocols: undefined,
    socketPath: undefined,
    timeout: undefined
  };
  const { protocolVersion } = settings;

  if (!PROTOCOL_VERSIONS.includes(protocolVersion)) {
    throw new RangeError(
      `Unsupported protocol version: ${protocolVersion} (supported versions: ` +
        `${PROTOCOL_VERSIONS.join(', ')})`
    );
  }

  return settings;
}

/**
 * The URL of an address; `http:` and `https:` are other words for `ws:` and
 * `wss:`. A URL of the user's stays as it is.
 *
 * @param {(string|URL)} address
 * @return {URL}
 * @throws {SyntaxError}
 */
function parseUrl(address) {
  const url = address instanceof URL ? address : createUrl(address);

  if (url.protocol !== 'http:' && url.protocol !== 'https:') return url;

  const copy = new URL(url);

  copy.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';

  return copy;
}

/**
 * @param {string} address
 * @param {(string|URL)} [base]
 * @return {URL}
 * @throws {SyntaxError}
 */
function createUrl(address, base) {
  try {
    return new URL(address, base);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
}

/**
 * @param {URL} url
 * @throws {SyntaxError} If it is not the URL of a WebSocket
 */
function checkUrl({ hash, pathname, protocol }) {
  if (!['ws:', 'wss:', 'ws+unix:'].includes(protocol)) {
    throw new SyntaxError(
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", ' +
        'or "ws+unix:"'
    );
  }

  if (protocol === 'ws+unix:' && !pathname) {
    throw new SyntaxError("The URL's pathname is empty");
  }

  if (hash) throw new SyntaxError('The URL contains a fragment identifier');
}

/**
 * @param {*[]} protocols
 * @return {Set<string>}
 * @throws {SyntaxError} If one is no subprotocol's name, or there twice
 */
function checkProtocols(protocols) {
  const names = new Set();

  for (const name of protocols) {
    if (typeof name !== 'string' || !TOKEN.test(name) || names.has(name)) {
      throw new SyntaxError(
        'An invalid or duplicated subprotocol was specified'
      );
    }

    names.add(name);
  }

  return names;
}

/**
 * Adds where a URL leads, as `http.request()` wants it.
 *
 * @param {Object} settings
 * @param {URL} url
 */
function setTarget(settings, url) {
  const defaultPort = url.protocol === 'wss:' ? 443 : 80;

  settings.defaultPort ||= defaultPort;
  settings.host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  settings.port = url.port || defaultPort;
  settings.path = url.pathname + url.search;
  settings.timeout = settings.handshakeTimeout;

  if (url.username || url.password) {
    const username = querystring.unescape(url.username);
    const password = querystring.unescape(url.password);

    settings.auth = `${username}:${password}`;
  }

  if (url.protocol === 'ws+unix:') {
    const [, socketPath, path = ''] = /^([^:]*)(?::(.*))?$/s.exec(
      settings.path
    );

    settings.socketPath = socketPath;
    settings.path = path;
  }
}

module.exports = {
  checkProtocols,
  checkUrl,
  createUrl,
  parseUrl,
  resolveSettings,
  setTarget
};
