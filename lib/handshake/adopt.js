'use strict';

const { executionAsyncResource } = require('async_hooks');
const tls = require('tls');

const { isAdoptable, isTlsAdoptable } = require('./adoptable');
const NativeConnection = require('../connection/native-connection');
const NativeSocket = require('../connection/native-socket');
const { rebindTlsSocket } = require('../connection/native-tls-socket');
const { isInFrame, isInParser } = require('../native/async-context');
const { bridge } = require('../native/bridge');

/**
 * Has the engine read and write the connection of a socket of Node's. The socket
 * object lives on over our handle.
 *
 * @param {any} socket
 * @param {Buffer} early What was read of it after the request, or the response
 * @return {?NativeConnection} None: it cannot be, or would be noticed
 */
function adopt(socket, early) {
  const { prototype } = tls.TLSSocket;

  return Object.getPrototypeOf(socket) === prototype
    ? adoptTls(socket, early)
    : adoptPlain(socket, early);
}

function adoptPlain(socket, early) {
  if (!isAdoptable(socket)) return null;

  const handle = socket._handle;
  const isTcp = typeof handle.setNoDelay === 'function';
  const id = bridge.adopt(handle.fd, isTcp ? 1 : 0);

  if (id < 0) return null;

  const connection = createConnection(id, socket, early);

  handle.readStop();
  handle.onread = ignore;
  bridge.unwatch(handle.fd);

  const handOver = () =>
    connection.onHandedOver(isTcp ? 'TCPWRAP' : 'PIPEWRAP');

  // The connection gets the async context of the handle, which is nowhere to be
  // asked for: a client's is that of its response, a server's comes with the end
  // of the handle.
  if (executionAsyncResource() === handle) {
    handOver();
    // A listener of 'open' may have entered a store meanwhile.
    handle.close(() => connection.copyStoresOf(handle));
  } else {
    handle.close(() => {
      if (handOver()) connection.deliverEarly();
    });
  }

  NativeSocket.rebind(socket, connection);

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

  const { fd, setNoDelay, bytesWritten } = handle._parent;
  const id = bridge.adoptTls(
    fd,
    typeof setNoDelay === 'function' ? 1 : 0,
    socket.getFinished(),
    options.isServer === true ? bytesWritten : -1
  );

  if (id < 0) return null;

  const connection = createConnection(id, socket, early);

  rebindTlsSocket(socket, connection, isFramed);

  return connection;
}

/** What the socket object has read comes with what came early. */
function createConnection(id, socket, early) {
  const connection = new NativeConnection(id);
  const unread = [];

  // Before Node 26 one call gives all.
  while (socket.readableLength > 0) unread.push(socket.read());

  connection.isClaimed = true;
  connection.early =
    unread.length === 0 ? early : Buffer.concat([early, ...unread]);

  return connection;
}

function ignore() {}

module.exports = adopt;
