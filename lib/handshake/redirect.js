'use strict';

/**
 * What a redirect may take along: credentials stay with the host they were
 * given for, and the first ones win. This is what curl does.
 */

/**
 * The user's options with headers of their own, in lower case.
 *
 * @param {Object} options
 * @return {Object}
 */
function withOwnHeaders(options) {
  const headers = {};

  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }

  return { ...options, headers };
}

/** The names of this machine: localhost, 127.0.0.0/8 and ::1. */
const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Tells whether a redirect may lead there: the sockets of this machine are none
 * of the network's business.
 *
 * @param {URL} url
 * @param {URL} from What redirects
 * @return {URL} `url`
 * @throws {Error}
 */
function checkTarget(url, from) {
  const isLocal =
    from.protocol === 'ws+unix:' || THIS_MACHINE.test(from.hostname);

  if (url.protocol === 'ws+unix:' && !isLocal) {
    throw new Error('The server redirected to a unix socket');
  }

  return url;
}

/**
 * Removes what is not meant for another host, or for an open connection.
 *
 * @param {Object} settings Of the request to send
 * @param {{host: string, isIpc: boolean, isSecure: boolean}} origin Where the
 *     first request went
 * @param {{host: string, isIpc: boolean, isSecure: boolean}} here Where this
 *     one goes
 */
function dropCredentials(settings, origin, here) {
  const isSameHost = here.isIpc === origin.isIpc && here.host === origin.host;

  if (isSameHost && (here.isSecure || !origin.isSecure)) return;

  delete settings.headers.authorization;
  delete settings.headers.cookie;
  if (!isSameHost) delete settings.headers.host;

  settings.auth = undefined;
}

/**
 * Makes credentials a header of the requests that follow, unless they have one.
 *
 * @param {Object} headers In lower case
 * @param {string} [auth] User and password
 */
function keepCredentials(headers, auth) {
  if (!auth || headers.authorization) return;

  headers.authorization = `Basic ${Buffer.from(auth).toString('base64')}`;
}

module.exports = {
  checkTarget,
  dropCredentials,
  keepCredentials,
  withOwnHeaders
};
