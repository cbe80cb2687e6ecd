'use strict';

const { getSystemErrorMap } = require('util');
const { runInThisContext } = require('vm');

/**
 * Those of Node.js, whose errors these are: where this is run in a context of
 * its own, as by Jest, an emitter throws what nobody listens to only if it is
 * an error of Node's.
 */
const [NodeError, NodeAggregateError] = runInThisContext(
  '[Error, AggregateError]'
);

/**
 * The name of an error: 'ECONNREFUSED'.
 *
 * @param {number} errno Its number as Node has it, negative
 */
function codeOf(errno) {
  return describe(errno)[0];
}

/**
 * The number of an error, which systems do not have in common.
 *
 * @param {string} code
 */
function errnoOf(code) {
  for (const [errno, [each]] of getSystemErrorMap()) {
    if (each === code) return errno;
  }
}

function describe(errno) {
  return getSystemErrorMap().get(errno) || ['UNKNOWN', 'unknown error'];
}

/**
 * Makes the error that Node makes when a call on a socket fails.
 *
 * @param {(number|undefined)} errno Its number as Node has it, negative
 * @param {string} syscall What failed
 * @param {string} [address] An IP address or a path
 * @param {number} [port]
 * @param {string} [local] Our end
 * @return {Error}
 */
function createSystemError(errno, syscall, address, port, local) {
  const [code, text] = describe(errno);
  const where =
    port === undefined || port <= 0 ? address : `${address}:${port}`;
  const isListen = syscall === 'listen';
  // Node says what went wrong when it listens, and only where when it connects.
  const message = [
    `${syscall} ${code}${isListen ? `: ${text}` : ''}`,
    where,
    local && `- Local (${local})`
  ];
  const err = new NodeError(
    message.filter((part) => part !== undefined).join(' ')
  );

  NodeError.captureStackTrace(err, createSystemError);

  return Object.assign(
    err,
    { errno, code, syscall },
    address !== undefined && { address },
    port && { port }
  );
}

/** As in `src/engine/events/mod.rs`. */
const WRITING = 1 << 16;

/**
 * Makes the error that closed a socket.
 *
 * @param {number} reason The value of a `closed` event
 * @return {Error}
 */
function createClosing(reason) {
  const syscall = (reason & WRITING) === 0 ? 'read' : 'write';

  return createSystemError(-(reason & ~WRITING), syscall);
}

/**
 * Makes the error that broke a TLS session, as Node makes it.
 *
 * @param {string} text What OpenSSL says, the library and the reason, with a
 *     NUL between each
 * @return {Error}
 */
function createTlsError(text) {
  const [message, library, reason] = text.split('\0');
  const name = reason.toUpperCase().replaceAll(' ', '_');

  return Object.assign(new NodeError(message), library && { library }, {
    reason,
    code: `ERR_SSL_${name}`
  });
}

/** Makes the error for a write to a socket that is destroyed, as Node makes it. */
function createDestroyed() {
  return createNodeError(
    'ERR_STREAM_DESTROYED',
    'Cannot call write after a stream was destroyed',
    createDestroyed
  );
}

/** Makes the error for `setEncoding()` of a server's socket, as Node makes it. */
function createEncodingError() {
  return createNodeError(
    'ERR_HTTP_SOCKET_ENCODING',
    'Changing the socket encoding is not allowed per RFC7230 Section 3.',
    createEncodingError
  );
}

function createNodeError(code, message, caller) {
  const err = new NodeError(message);

  // Such errors of Node's show their code.
  err.name = `Error [${code}]`;
  NodeError.captureStackTrace(err, caller);
  String(err.stack);
  delete err.name;
  Object.defineProperty(err, 'toString', {
    value() {
      return `${this.name} [${code}]: ${this.message}`;
    },
    configurable: true,
    writable: true
  });

  return Object.assign(err, { code });
}

/**
 * Makes the error for what a socket had not written when it was destroyed.
 *
 * @param {number} reason As above
 */
function createUnwritten(reason) {
  if ((reason & WRITING) !== 0) return createClosing(reason);

  // Node 22 says what becomes of the write that the kernel has not taken yet.
  if (parseInt(process.versions.node) < 22) return createDestroyed();

  return createSystemError(errnoOf('ECANCELED'), 'write');
}

/**
 * Makes the error of several attempts, as Node makes it.
 *
 * @param {Error[]} errors
 */
function createAggregate(errors) {
  const { code } = /** @type {any} */ (errors[0]);

  return Object.assign(new NodeAggregateError(errors), { code });
}

/** Makes the error for a peer that went away before it answered. */
function createHangUp() {
  const err = new NodeError('socket hang up');

  NodeError.captureStackTrace(err, createHangUp);

  return Object.assign(err, { code: 'ECONNRESET' });
}

module.exports = {
  codeOf,
  createAggregate,
  createClosing,
  createDestroyed,
  createEncodingError,
  createHangUp,
  createSystemError,
  createTlsError,
  createUnwritten,
  errnoOf
};
