'use strict';

// Whether the engine can take a socket of Node's over, and nobody would notice.

const net = require('net');

const { hasOwner } = require('../connection/tls-session');
const { bridge } = require('../native/bridge');
const { hasDescriptors } = require('../native/descriptors');
const { isSocketOriginal } = require('../node/node-originals');

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

/**
 * Whether a socket is one whose descriptor can be taken without anybody
 * noticing: Node's own class, connected, nothing waiting to be written, and a
 * handle that looks as we know it.
 */
function isAdoptable(socket) {
  return (
    Object.getPrototypeOf(socket) === net.Socket.prototype &&
    isSocketUntouched(socket) &&
    isHandleAdoptable(socket._handle)
  );
}

/** The state of the `net.Socket`, without its handle; with TLS or without. */
function isSocketUntouched(socket) {
  return (
    isSocketOriginal() &&
    hasDescriptors() &&
    !socket.connecting &&
    socket.writable &&
    socket.writableLength === 0 &&
    socket.writableCorked === 0 &&
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

/** Whether nobody but its user and Node's TLS would notice. */
function isTlsAdoptable(socket) {
  const { _handle: handle, server, _tlsOptions: options } = socket;

  return (
    isTlsWatched &&
    isSocketUntouched(socket) &&
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

module.exports = { isAdoptable, isTlsAdoptable };
