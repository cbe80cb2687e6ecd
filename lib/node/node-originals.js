'use strict';

/**
 * Whether Node's own client and sockets are as Node made them. Guards, mocks
 * and tracing tools replace functions of theirs, or listen to their channels:
 * where they do, connections are Node's, and go their way.
 *
 * Each connection asks. Properties are named one by one because that takes a
 * nanosecond each; names in a list take 60.
 */

const diagnostics = require('diagnostics_channel');
const dns = require('dns');
const http = require('http');
const net = require('net');

/** Where the requests and sockets of a client are announced. */
const CLIENT_CHANNELS = [
  'http.client.request.created',
  'http.client.request.start',
  'http.client.request.error',
  'http.client.response.finish',
  'net.client.socket'
];

/** Where the ports and sockets of a server are announced. */
const SERVER_CHANNELS = [
  'net.server.socket',
  'tracing:net.server.listen:asyncStart',
  'tracing:net.server.listen:asyncEnd',
  'tracing:net.server.listen:error'
];

/**
 * How the functions begin through which all connections of a client pass.
 * Tools replace these before this package is loaded, too.
 */
const ENTRANCES = [
  {
    get: () => http.request,
    beginning: /^function request\(.*\{\s*return new ClientRequest\(/
  },
  {
    get: () => net.connect,
    beginning: /^function connect\(.*\{\s*const normalized = normalizeArgs/
  },
  {
    get: () => net.Socket.prototype.connect,
    beginning: /^function\s?\(.*\{\s*let normalized;/
  },
  {
    get: () => dns.lookup,
    beginning: /^function lookup\(.*\{\s*let hints/
  }
].map((entrance) => ({ ...entrance, known: undefined, isNodes: false }));

/** What nearly all have that replace a function, and none of these of Node's. */
const WRAPPER = /\.(?:apply|call)\(|\barguments\b|\[native code\]/;

const { globalAgent } = http;
/** Node's prototypes, with the methods that its documentation leaves out. */
const request = /** @type {any} */ (http.ClientRequest.prototype);
const { prototype: server } = http.Server;
const socket = /** @type {any} */ (net.Socket.prototype);

const ofRequest = {
  _implicitHeader: request._implicitHeader,
  _send: request._send,
  _storeHeader: request._storeHeader,
  _writeRaw: request._writeRaw,
  abort: request.abort,
  destroy: request.destroy,
  emit: request.emit,
  end: request.end,
  flushHeaders: request.flushHeaders,
  getHeader: request.getHeader,
  on: request.on,
  onSocket: request.onSocket,
  once: request.once,
  setHeader: request.setHeader,
  write: request.write
};

const ofServer = {
  address: server.address,
  close: server.close,
  createServer: http.createServer,
  emit: server.emit,
  listen: server.listen,
  on: server.on
};

const ofSocket = {
  _destroy: socket._destroy,
  _final: socket._final,
  _read: socket._read,
  _write: socket._write,
  _writeGeneric: socket._writeGeneric,
  _writev: socket._writev,
  cork: socket.cork,
  destroy: socket.destroy,
  emit: socket.emit,
  end: socket.end,
  on: socket.on,
  once: socket.once,
  pause: socket.pause,
  push: socket.push,
  read: socket.read,
  resume: socket.resume,
  setNoDelay: socket.setNoDelay,
  setTimeout: socket.setTimeout,
  uncork: socket.uncork,
  unshift: socket.unshift,
  write: socket.write
};

/** Whether tools were here before. */
const isWrapped = [
  request.onSocket,
  request.setHeader,
  server.listen,
  socket.write
].some((method) => WRAPPER.test(textOf(method)));

/** Tells whether a client's connection can be made without Node's http. */
function isClientOriginal() {
  return (
    !isWrapped &&
    ENTRANCES.every(isNodes) &&
    http.globalAgent === globalAgent &&
    isRequestOriginal() &&
    isSocketOriginal() &&
    mayUseNetwork() &&
    !CLIENT_CHANNELS.some((name) => diagnostics.hasSubscribers(name))
  );
}

function isRequestOriginal() {
  return (
    request._implicitHeader === ofRequest._implicitHeader &&
    request._send === ofRequest._send &&
    request._storeHeader === ofRequest._storeHeader &&
    request._writeRaw === ofRequest._writeRaw &&
    request.abort === ofRequest.abort &&
    request.destroy === ofRequest.destroy &&
    request.emit === ofRequest.emit &&
    request.end === ofRequest.end &&
    request.flushHeaders === ofRequest.flushHeaders &&
    request.getHeader === ofRequest.getHeader &&
    request.on === ofRequest.on &&
    request.onSocket === ofRequest.onSocket &&
    request.once === ofRequest.once &&
    request.setHeader === ofRequest.setHeader &&
    request.write === ofRequest.write
  );
}

/** Tells whether a server can listen without Node's http. */
function isServerOriginal() {
  return (
    server.address === ofServer.address &&
    server.close === ofServer.close &&
    server.emit === ofServer.emit &&
    server.listen === ofServer.listen &&
    server.on === ofServer.on &&
    http.createServer === ofServer.createServer &&
    isSocketOriginal() &&
    mayUseNetwork() &&
    !SERVER_CHANNELS.some((name) => diagnostics.hasSubscribers(name))
  );
}

/** Tells whether nobody has put himself between sockets and their users. */
function isSocketOriginal() {
  return (
    !isWrapped &&
    socket._destroy === ofSocket._destroy &&
    socket._final === ofSocket._final &&
    socket._read === ofSocket._read &&
    socket._write === ofSocket._write &&
    socket._writeGeneric === ofSocket._writeGeneric &&
    socket._writev === ofSocket._writev &&
    socket.cork === ofSocket.cork &&
    socket.destroy === ofSocket.destroy &&
    socket.emit === ofSocket.emit &&
    socket.end === ofSocket.end &&
    socket.on === ofSocket.on &&
    socket.once === ofSocket.once &&
    socket.pause === ofSocket.pause &&
    socket.push === ofSocket.push &&
    socket.read === ofSocket.read &&
    socket.resume === ofSocket.resume &&
    socket.setNoDelay === ofSocket.setNoDelay &&
    socket.setTimeout === ofSocket.setTimeout &&
    socket.uncork === ofSocket.uncork &&
    socket.unshift === ofSocket.unshift &&
    socket.write === ofSocket.write
  );
}

/** The same of what they write, for each message. */
function isWriteOriginal() {
  return socket.write === ofSocket.write;
}

/** Whether Node's permission model lets us, where it is in force. */
function mayUseNetwork() {
  const { permission } = /** @type {any} */ (process);

  return permission === undefined || permission.has('net');
}

function isNodes(entrance) {
  const current = entrance.get();

  if (entrance.known !== current) {
    entrance.known = current;
    entrance.isNodes = entrance.beginning.test(textOf(current));
  }

  return entrance.isNodes;
}

function textOf(method) {
  return Function.prototype.toString.call(method);
}

module.exports = {
  isClientOriginal,
  isServerOriginal,
  isSocketOriginal,
  isWriteOriginal
};
