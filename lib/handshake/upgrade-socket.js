'use strict';

const { executionAsyncResource } = require('async_hooks');
const net = require('net');
const tls = require('tls');

const { isInFrame, isInParser } = require('../native/async-context');
const { bridge } = require('../native/bridge');
const { hasDescriptors } = require('../native/descriptors');
const NativeConnection = require('../connection/native-connection');
const {
  adoptTlsSocket,
  isNativeTlsSocket
} = require('../connection/native-tls-socket');
const { isSocketOriginal } = require('../node/node-originals');
const StreamConnection = require('../connection/stream-connection');
const { kUpgradeSocket } = require('../constants');
const { hasOwner } = require('../connection/tls-session');
const NativeSocket = require('../connection/native-socket');
const { formatHead, formatResponse } = require('./upgrade-response');

/** @typedef {import('stream').Duplex} Duplex */

/** With the members that Node's documentation leaves out. */
const node = /** @type {any} */ (net.Socket.prototype);

/**
 * Whether sessions with TLS can be found: those that are made from here on. Not
 * if the environment says so.
 */
const isTlsWatched =
  process.env.OXWS_TLS !== 'stream' &&
  hasDescriptors() &&
  process.versions.electron === undefined &&
  bridge.watchSessions() === 1;

/** Sockets that speak WebSocket already. */
const upgraded = new WeakSet();

/** A connection of the engine whose opening handshake is under way. */
class NativeUpgradeSocket {
  /**
   * @param {NativeConnection} connection
   * @param {Buffer} [early] What Node's http parser read after the request
   */
  constructor(connection, early) {
    this._connection = connection;
    this.early = early;
  }

  get socket() {
    return this._connection.socket;
  }

  /** Neither side has ended; the program may have ended the socket, once exposed. */
  get alive() {
    const { destroyed, ended, ending, hasSocket } = this._connection;

    if (destroyed || !hasSocket) return !destroyed && !ended && !ending;

    return this.socket.readable && this.socket.writable;
  }

  get upgraded() {
    return this._connection.isClaimed;
  }

  /** Its handshake is one of HTTP/1.1. */
  get isHttp2() {
    return false;
  }

  /** Answers with such a response and closes. */
  reject(code, message, headers) {
    reject(this.socket, formatResponse(code, message, headers));
  }

  /** Sends the 101 and returns the connection to start. */
  accept(lines) {
    const head = formatHead(lines);
    const connection = this.open();

    // Behind what a listener ended the socket with it is an error.
    if (
      connection.isWriteObserved ||
      (connection.hasSocket && !connection.socket.writable)
    ) {
      connection.socket.write(head);
    } else {
      connection.write([head]);
    }

    return connection;
  }

  /** Returns the connection to start. */
  open() {
    this._connection.isClaimed = true;
    this._connection.early = this.early;

    return this._connection;
  }

  // A socket of ours closes by itself when it fails.
  onAbort() {}

  offAbort() {}

  destroy() {
    this._connection.destroy();
  }
}

/** A socket of Node's or the user's whose opening handshake is under way. */
class DuplexUpgradeSocket {
  /**
   * @param {any} socket A Duplex
   * @param {Buffer} early What was read of it after the request
   */
  constructor(socket, early) {
    this.socket = socket;
    this.early = early;
    this._destroy = () => socket.destroy();
  }

  get alive() {
    return this.socket.readable && this.socket.writable;
  }

  get upgraded() {
    return isNative(this.socket) || upgraded.has(this.socket);
  }

  get isHttp2() {
    return false;
  }

  reject(code, message, headers) {
    reject(this.socket, formatResponse(code, message, headers));
  }

  accept(lines) {
    const head = formatHead(lines);
    const connection = adopt(this.socket, this.early);

    if (connection === null) {
      this.socket.write(head);
      return this._pump();
    }

    connection.write([head]);

    return connection;
  }

  open() {
    return adopt(this.socket, this.early) || this._pump();
  }

  _pump() {
    upgraded.add(this.socket);
    this.socket.once('close', () => upgraded.delete(this.socket));

    return this._createConnection();
  }

  _createConnection() {
    return new StreamConnection(this.socket, this.early);
  }

  onAbort() {
    this.socket.on('error', this._destroy);
  }

  offAbort() {
    this.socket.removeListener('error', this._destroy);
  }

  destroy() {
    this.socket.destroy();
  }
}

function reject(socket, response) {
  socket.once('finish', socket.destroy);
  socket.end(response);
}

/**
 * Takes the connection of a plain socket of Node's over, so that the engine
 * reads and writes it. The socket object lives on over our handle. Returns null
 * where that cannot be: then JavaScript pumps.
 */
function adopt(socket, early) {
  if (Object.getPrototypeOf(socket) === tls.TLSSocket.prototype) {
    return adoptTls(socket, early);
  }
  if (!isAdoptable(socket)) return null;

  const handle = socket._handle;
  const isTcp = typeof handle.setNoDelay === 'function';
  const id = bridge.adopt(handle.fd, isTcp ? 1 : 0);

  if (id < 0) return null;

  const connection = new NativeConnection(id);
  const unread = [];

  // Before Node 26 one call gives all.
  while (socket.readableLength > 0) unread.push(socket.read());

  handle.readStop();
  handle.onread = ignore;

  const handOver = () =>
    connection.onHandedOver(isTcp ? 'TCPWRAP' : 'PIPEWRAP');

  // The connection gets the async context of the handle, which is nowhere to be
  // asked for: a client's is that of its response, a server's comes with the end
  // of the handle.
  if (executionAsyncResource() === handle) {
    handOver();
    handle.close();
  } else {
    handle.close(handOver);
  }

  NativeSocket.adopt(socket, connection);

  connection.isClaimed = true;
  connection.early =
    unread.length === 0 ? early : Buffer.concat([early, ...unread]);

  return connection;
}

/**
 * The same of a socket with TLS, once Node has made the session on it. The
 * engine begins when Node is done with it.
 */
function adoptTls(socket, early) {
  if (!isTlsAdoptable(socket)) return null;

  const { _handle: handle, _tlsOptions: options } = socket;
  const isFramed = options.isServer === true && isInFrame();

  // What a server's handle had when it was made would be lost.
  if (isFramed && !isInParser()) return null;

  const { fd, setNoDelay } = handle._parent;
  const id = bridge.adoptTls(
    fd,
    typeof setNoDelay === 'function' ? 1 : 0,
    socket.getFinished()
  );

  if (id < 0) return null;

  const connection = new NativeConnection(id);
  const unread = [];

  while (socket.readableLength > 0) unread.push(socket.read());

  adoptTlsSocket(socket, connection, isFramed);
  connection.isClaimed = true;
  connection.early =
    unread.length === 0 ? early : Buffer.concat([early, ...unread]);

  return connection;
}

/** Whether nobody but its user and Node's TLS would notice. */
function isTlsAdoptable(socket) {
  const { _handle: handle, server, _tlsOptions: options } = socket;

  return (
    isTlsWatched &&
    isStreamAdoptable(socket) &&
    socket._secureEstablished &&
    socket.ssl === handle &&
    !options.enableTrace &&
    // These would have to be called back by OpenSSL.
    socket.listenerCount('keylog') === 0 &&
    socket.listeners('session').every(isOfAgent) &&
    !server?.listenerCount?.('newSession') &&
    !server?.listenerCount?.('resumeSession') &&
    !usesSharedContext(socket) &&
    isWrapOverDescriptor(handle)
  );
}

/** An https.Agent keeps the sessions that come before the upgrade. */
function isOfAgent(listener) {
  return /^\(session\) => \{\s*this\._cacheSession\(/.test(
    Function.prototype.toString.call(listener)
  );
}

/** A client's that others may use: what it does with sessions is changed. */
function usesSharedContext(socket) {
  if (socket._tlsOptions.isServer) return false;

  const options = Object.getOwnPropertySymbols(socket)
    .filter((symbol) => symbol.description === 'connect-options')
    .map((symbol) => socket[symbol])[0];

  return !options || options.secureContext !== undefined;
}

/** A `TLSWrap` right over a handle of libuv's that looks as we know it. */
function isWrapOverDescriptor(handle) {
  if (
    handle === null ||
    typeof handle !== 'object' ||
    typeof handle.destroySSL !== 'function' ||
    typeof handle.onread !== 'function' ||
    !hasOwner(handle)
  ) {
    return false;
  }

  const { _parent: parent, _parentWrap: raw } = handle;
  const isBare =
    raw === null ||
    raw === undefined ||
    (Object.getPrototypeOf(raw) === net.Socket.prototype &&
      raw._handle === parent &&
      !raw.destroyed);

  return isBare && isHandleAdoptable(parent);
}

/**
 * Whether a socket is one whose descriptor can be taken without anybody
 * noticing: Node's own class, connected, nothing waiting to be written, and a
 * handle that looks as we know it.
 */
function isAdoptable(socket) {
  return (
    Object.getPrototypeOf(socket) === net.Socket.prototype &&
    isStreamAdoptable(socket) &&
    isHandleAdoptable(socket._handle)
  );
}

function isStreamAdoptable(socket) {
  return (
    isSocketOriginal() &&
    hasDescriptors() &&
    !socket.connecting &&
    socket.writable &&
    socket.writableLength === 0 &&
    socket.readableEncoding === null &&
    !socket.isPaused() &&
    // A listener that is there already has to see all bytes.
    socket.listenerCount('data') === 0 &&
    socket.listenerCount('readable') === 0 &&
    hasMethodsOfNode(socket)
  );
}

/** Who gives a socket another one of these wants to see what it does. */
function hasMethodsOfNode(socket) {
  return (
    socket._read === node._read &&
    socket._write === node._write &&
    socket._writev === node._writev &&
    socket.cork === node.cork &&
    socket.destroy === node.destroy &&
    socket.emit === node.emit &&
    socket.end === node.end &&
    socket.pause === node.pause &&
    socket.push === node.push &&
    socket.read === node.read &&
    socket.resume === node.resume &&
    socket.setTimeout === node.setTimeout &&
    socket.uncork === node.uncork &&
    socket.write === node.write
  );
}

function isHandleAdoptable(handle) {
  return (
    handle !== null &&
    typeof handle === 'object' &&
    typeof handle.fd === 'number' &&
    handle.fd >= 0 &&
    handle.writeQueueSize === 0 &&
    typeof handle.readStop === 'function' &&
    typeof handle.close === 'function' &&
    !Object.hasOwn(handle, 'close')
  );
}

/**
 * The upgrade socket of one that somebody else upgraded, or will speak over
 * HTTP/2.
 *
 * @param {Duplex} socket
 * @param {Buffer} early What was read of it after the request, or the response
 * @return {(NativeUpgradeSocket|DuplexUpgradeSocket)}
 */
function upgradeSocketFor(socket, early) {
  return isNative(socket)
    ? new NativeUpgradeSocket(socket._connection, early)
    : (socket[kUpgradeSocket] ?? new DuplexUpgradeSocket(socket, early));
}

/**
 * @param {any} socket
 * @return {socket is NativeSocket}
 */
function isNative(socket) {
  return socket instanceof NativeSocket || isNativeTlsSocket(socket);
}

function ignore() {}

module.exports = { DuplexUpgradeSocket, NativeUpgradeSocket, upgradeSocketFor };
