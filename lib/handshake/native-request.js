'use strict';

const http = require('http');

const { isClientOriginal } = require('../node/node-originals');

/** Options that the engine's dialling honours, or that nobody looks at. */
const HONOURED = new Set([
  'allowSynchronousEvents',
  'auth',
  'autoPong',
  'closeTimeout',
  'family',
  'followRedirects',
  'finishRequest',
  'generateMask',
  'handshakeTimeout',
  'headers',
  'host',
  'hostname',
  'maxBufferedChunks',
  'maxFragments',
  'maxPayload',
  'maxPendingAutoPongs',
  'maxRedirects',
  'method',
  'origin',
  'path',
  'perMessageDeflate',
  'port',
  'protocol',
  'protocolVersion',
  'protocols',
  'skipUTF8Validation',
  'socketPath',
  'timeout'
]);

/** Header fields that change how Node frames or sends a request. */
const FRAMING_FIELDS =
  /^(?:content-length|expect|te|trailer|transfer-encoding)$/i;

/** What each system has room for in the address of a Unix domain socket. */
const MAX_SOCKET_PATH = 103;

/** What Node does not take in a path. */
const UNESCAPED = /[^\u0021-\u00ff]/;

/**
 * Tells whether a request can be made without Node's http: no option needs it,
 * and no tool has put itself in its way.
 *
 * @param {(Object|undefined)} options The user's
 * @param {Object} settings What became of them
 * @param {boolean} isSecure
 * @return {boolean}
 */
function isPossible(options, settings, isSecure) {
  return (
    !isSecure &&
    !settings.followRedirects &&
    !settings.finishRequest &&
    Object.entries(options ?? {}).every(
      ([name, value]) => value === undefined || HONOURED.has(name)
    ) &&
    isPlain(settings) &&
    isClientOriginal()
  );
}

/** Tells whether the values are ones that Node would take without a word. */
function isPlain({ auth, family, headers, path, socketPath, timeout }) {
  return (
    !UNESCAPED.test(path) &&
    (auth === undefined || typeof auth === 'string') &&
    [undefined, 0, 4, 6].includes(family) &&
    (timeout === undefined || (Number.isFinite(timeout) && timeout >= 0)) &&
    (socketPath === undefined || isPlainPath(socketPath)) &&
    !Object.keys(headers).some((name) => FRAMING_FIELDS.test(name))
  );
}

/** On Windows it names a pipe, and some systems cut off what is too long. */
function isPlainPath(path) {
  return (
    process.platform !== 'win32' &&
    path !== '' &&
    Buffer.byteLength(path) <= MAX_SOCKET_PATH
  );
}

/**
 * Makes the request as Node would: the same fields in the same order.
 *
 * @param {Object} settings The options of `http.request()`
 * @return {Object} What `dial()` needs
 * @throws {TypeError} If a header field is invalid, as Node does
 */
function create(settings) {
  const { family, host, method, port, socketPath } = settings;
  const message = new http.OutgoingMessage();
  const path = settings.path || '/';

  for (const [name, value] of Object.entries(settings.headers)) {
    message.setHeader(name, value);
  }

  if (!message.getHeader('host')) {
    message.setHeader('Host', hostField(settings));
  }

  if (settings.auth && !message.getHeader('authorization')) {
    const credentials = Buffer.from(settings.auth).toString('base64');

    message.setHeader('Authorization', `Basic ${credentials}`);
  }

  return {
    family,
    head: serialize(`${method} ${path} HTTP/1.1`, message),
    host,
    port: Number(port),
    settings,
    socketPath
  };
}

function hostField({ defaultPort, host, port }) {
  let field = host || 'localhost';

  if (field.includes(':')) field = `[${field}]`;

  return Number(port) === defaultPort ? field : `${field}:${port}`;
}

function serialize(requestLine, message) {
  const lines = [requestLine];

  for (const name of message.getRawHeaderNames()) {
    const value = message.getHeader(name);

    // RFC 6265, section 5.4: one field for all cookies, and none for no cookie.
    const values =
      Array.isArray(value) && value.length > 0 && /^cookie$/i.test(name)
        ? [value.join('; ')]
        : [value].flat();

    for (const item of values) lines.push(`${name}: ${item}`);
  }

  return `${lines.join('\r\n')}\r\n\r\n`;
}

module.exports = { create, isPossible };
