'use strict';

/**
 * Options of a client over HTTP/1.1 about what there is no more to say of where
 * there is a session: the request, redirects, the socket and its TLS.
 */
const UNSUPPORTED = [
  'agent',
  'createConnection',
  'finishRequest',
  'followRedirects',
  'maxRedirects',
  'signal',

  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'family',
  'hints',
  'keepAlive',
  'keepAliveInitialDelay',
  'localAddress',
  'localPort',
  'lookup',
  'noDelay',
  'socketPath',

  'ALPNProtocols',
  'ca',
  'cert',
  'checkServerIdentity',
  'ciphers',
  'crl',
  'dhparam',
  'ecdhCurve',
  'key',
  'maxVersion',
  'minDHSize',
  'minVersion',
  'passphrase',
  'pfx',
  'pskCallback',
  'rejectUnauthorized',
  'secureContext',
  'secureOptions',
  'secureProtocol',
  'servername',
  'session',
  'sigalgs'
];

/**
 * @param {Object} [options] The user's
 * @throws {TypeError} If one of them is not for a session of HTTP/2
 */
function checkOptions(options) {
  const name = UNSUPPORTED.find((name) => isSet(name, options?.[name]));

  if (name !== undefined) {
    throw new TypeError(`The option "${name}" is not for HTTP/2`);
  }
}

/** What is false says no more than that there is none, but for one. */
function isSet(name, value) {
  return name === 'rejectUnauthorized' ? value !== undefined : Boolean(value);
}

module.exports = checkOptions;
