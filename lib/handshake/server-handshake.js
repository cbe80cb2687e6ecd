'use strict';

const emitGuarded = require('../native/emit-guarded');
const extension = require('../extension');
const native = require('../native/addon');
const PerMessageDeflate = require('../permessage-deflate');
const { kOpen } = require('../constants');
const { findFault, originOf, readProtocols, response } = require('./upgrade');

/**
 * The server's half of one opening handshake (RFC 6455, section 4.2): what was
 * made of a request that is one.
 *
 * @typedef {Object} Handshake
 * @property {Object<string, PerMessageDeflate>} extensions The accepted ones
 * @property {string} key The value of `Sec-WebSocket-Key`
 * @property {Set<string>} protocols The subprotocols offered
 * @property {IncomingMessage} request
 * @property {Object} transport
 *
 * @typedef {import('http').IncomingMessage} IncomingMessage
 * @typedef {import('./upgrade').Fault} Fault
 * @typedef {import('../websocket')} WebSocket
 * @typedef {import('../websocket-server')} WebSocketServer
 */

const DEFLATE = PerMessageDeflate.extensionName;

/**
 * Reads a request and refuses it, or has `complete` accept it once it is
 * verified.
 *
 * @param {WebSocketServer} server
 * @param {IncomingMessage} request
 * @param {Object} transport
 * @param {function(Handshake): void} complete
 */
function answer(server, request, transport, complete) {
  transport.onAbort();
  answering(transport, () => {
    const handshake = read(server, request, transport);

    if (handshake) verify(server, handshake, () => complete(handshake));
  });
}

/**
 * Does what calls functions of the user's. If one throws before the request is
 * answered, nobody else will answer it.
 */
function answering(transport, work) {
  try {
    work();
  } catch (err) {
    if (!transport.upgraded && transport.alive) {
      transport.reject(response(500));
    }
    throw err;
  }
}

/** @return {(Handshake|undefined)} None: it was refused */
function read(server, request, transport) {
  const fault = findFault(request);

  if (fault) {
    refuse(server, request, transport, fault);
    return;
  }

  if (!server.shouldHandle(request)) {
    transport.reject(response(400));
    return;
  }

  let protocols;
  let extensions;

  try {
    protocols = readProtocols(request);
  } catch {
    refuse(server, request, transport, {
      message: 'Invalid Sec-WebSocket-Protocol header'
    });
    return;
  }

  try {
    extensions = negotiate(server.options, request);
  } catch {
    refuse(server, request, transport, {
      message: 'Invalid or unacceptable Sec-WebSocket-Extensions header'
    });
    return;
  }

  const key = request.headers['sec-websocket-key'];

  return { extensions, key, protocols, request, transport };
}

/**
 * Answers a request that is no opening handshake.
 *
 * @param {WebSocketServer} server
 * @param {IncomingMessage} request
 * @param {Object} transport
 * @param {Fault} fault
 */
function refuse(server, request, transport, { code = 400, message, headers }) {
  if (server.listenerCount('wsClientError') === 0) {
    transport.reject(response(code, message, headers));
    return;
  }

  const err = new Error(message);

  Error.captureStackTrace(err, refuse);
  server.emit('wsClientError', err, transport.socket, request);
}

function negotiate({ maxPayload, perMessageDeflate }, { headers }) {
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

/** Calls `accept` if, and when, the user's `verifyClient` says so. */
function verify({ options }, { request, transport }, accept) {
  const { verifyClient } = options;

  if (!verifyClient) {
    accept();
    return;
  }

  const info = {
    origin: originOf(request),
    secure: isSecure(request, transport),
    req: request
  };

  if (verifyClient.length !== 2) {
    if (options.verifyClient(info)) accept();
    else transport.reject(response(401));
    return;
  }

  options.verifyClient(info, (isVerified, code, message, headers) => {
    answering(transport, () => {
      if (isVerified) accept();
      else transport.reject(response(code || 401, message, headers));
    });
  });
}

/** An owned transport knows; its `net.Socket` need not be made to answer. */
function isSecure(request, transport) {
  if (transport.secure !== undefined) return transport.secure;

  return Boolean(request.socket.authorized || request.socket.encrypted);
}

/**
 * Makes a WebSocket of the connection of a request that was verified.
 *
 * @param {WebSocketServer} server
 * @param {Handshake} handshake
 * @param {boolean} isRunning Whether the server takes any more
 * @return {(WebSocket|undefined)} None: it does not, or the client has gone
 * @throws {Error} If this socket has a WebSocket already
 */
function accept(server, handshake, isRunning) {
  const { extensions, key, protocols, request, transport } = handshake;

  // The client may have gone away meanwhile.
  if (!transport.alive) {
    transport.destroy();
    return;
  }

  if (transport.upgraded) {
    throw new Error(
      'server.handleUpgrade() was called more than once with the same ' +
        'socket, possibly due to a misconfiguration'
    );
  }

  if (!isRunning) {
    transport.reject(response(503));
    return;
  }

  const { options } = server;
  const websocket = new options.WebSocket(null, undefined, options);
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${native.acceptKey(key)}`
  ];
  const protocol = chooseProtocol(options, protocols, request);
  const deflate = extensions[DEFLATE];

  if (protocol) {
    lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
    websocket._protocol = protocol;
  }

  if (deflate) {
    const value = extension.format({ [DEFLATE]: deflate.params });

    lines.push(`Sec-WebSocket-Extensions: ${value}`);
    websocket._extensions = extensions;
  }

  emitGuarded(server, 'headers', lines, request);

  const connection = transport.accept(lines);

  transport.offAbort();
  websocket[kOpen](connection, options);

  return websocket;
}

function chooseProtocol(options, protocols, request) {
  if (protocols.size === 0) return;

  return options.handleProtocols
    ? options.handleProtocols(protocols, request)
    : protocols.values().next().value;
}

module.exports = { accept, answer };
