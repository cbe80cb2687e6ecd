'use strict';

// What a server wants of a request, and what that offers.

const extension = require('../extension');
const PerMessageDeflate = require('../permessage-deflate');
const subprotocol = require('../subprotocol');

/**
 * Why a request is refused; the status code is 400 unless told otherwise.
 *
 * @typedef {{code?: number, message: string, headers?: Object}} Fault
 *
 * @typedef {import('http').IncomingMessage} IncomingMessage
 */

const DEFLATE = PerMessageDeflate.extensionName;

/** 16 bytes in base64 (RFC 6455, section 4.2.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

const VERSIONS = [13, 8];

/**
 * Tells what keeps a request from being an opening handshake.
 *
 * @param {IncomingMessage} request
 * @param {boolean} isHttp2
 * @return {(Fault|undefined)}
 */
function faultOf(request, isHttp2) {
  const fault = isHttp2 ? faultOfConnect(request) : faultOfUpgrade(request);

  if (fault) return fault;

  if (!VERSIONS.includes(Number(request.headers['sec-websocket-version']))) {
    return {
      message: 'Missing or invalid Sec-WebSocket-Version header',
      headers: { 'Sec-WebSocket-Version': '13, 8' }
    };
  }
}

/**
 * The same by RFC 6455, section 4.2.1.
 *
 * @param {IncomingMessage} request
 * @return {(Fault|undefined)}
 */
function faultOfUpgrade({ headers, method }) {
  if (method !== 'GET') return { code: 405, message: 'Invalid HTTP method' };

  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return { message: 'Invalid Upgrade header' };
  }

  if (!isKey(headers['sec-websocket-key'])) {
    return { message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
}

/**
 * The same by RFC 8441, section 5: there is no key.
 *
 * @param {IncomingMessage} request
 * @return {(Fault|undefined)}
 */
function faultOfConnect({ headers, method }) {
  const { ':protocol': protocol } = headers;

  // Without a protocol it is another method: one for proxies.
  if (method !== 'CONNECT' || protocol === undefined) {
    return { code: 405, message: 'Invalid HTTP method' };
  }

  if (protocol !== 'websocket') {
    return { code: 501, message: 'Invalid :protocol pseudo-header' };
  }
}

/**
 * The subprotocols that a request offers.
 *
 * @param {IncomingMessage} request
 * @return {Set<string>}
 * @throws {SyntaxError}
 */
function readProtocols({ headers }) {
  const header = headers['sec-websocket-protocol'];

  return header === undefined ? new Set() : subprotocol.parse(header);
}

/**
 * The extensions to accept of those that a request offers.
 *
 * @param {Object} options Those of the server
 * @param {IncomingMessage} request
 * @return {Object<string, PerMessageDeflate>}
 * @throws {Error} If they are malformed or not acceptable
 */
function negotiateExtensions(options, { headers }) {
  const { maxPayload, perMessageDeflate } = options;
  const header = headers['sec-websocket-extensions'];

  if (!perMessageDeflate || header === undefined) return {};

  const offers = extension.parse(header)[DEFLATE];

  if (!offers) return {};

  const deflate = new PerMessageDeflate({
    ...perMessageDeflate,
    isServer: true,
    maxPayload
  });

  deflate.accept(offers);

  return { [DEFLATE]: deflate };
}

/**
 * Where a request comes from; version 8 has a header field of its own for it.
 *
 * @param {IncomingMessage} request
 * @return {(string|string[]|undefined)}
 */
function originOf({ headers }) {
  return Number(headers['sec-websocket-version']) === 8
    ? headers['sec-websocket-origin']
    : headers.origin;
}

/** Whether it is the value of a `Sec-WebSocket-Key`. */
function isKey(value) {
  return KEY.test(value);
}

module.exports = {
  faultOf,
  isKey,
  negotiateExtensions,
  originOf,
  readProtocols
};
