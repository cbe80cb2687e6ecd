'use strict';

const net = require('net');
const tls = require('tls');

const { createTlsError } = require('../errors/system-errors');
const NativeSocket = require('./native-socket');
const TlsSession = require('./tls-session');

const { ConnectionHandle } = NativeSocket;

/** What `_handle` is of a TLSSocket over a connection of the engine. */
class TlsHandle extends ConnectionHandle {
  /**
   * @param {import('./native-connection')} connection
   * @param {any} socket A TLSSocket
   */
  constructor(connection, socket) {
    super(connection);

    const { _handle: wrap } = socket;

    this.session = new TlsSession(connection, socket);
    this._parent = wrap._parent;
    this._parentWrap = wrap._parentWrap;
    this._secureContext = wrap._secureContext;
  }

  destroySSL() {
    this.session.destroy();
  }

  // OpenSSL calls nobody back any more.
  enableKeylogCallback() {}

  enableSessionCallbacks() {}

  enableTrace() {}

  // None is taken part in.
  renegotiate() {
    throw Object.assign(
      new Error('Attempt to renegotiate TLS session failed'),
      { code: 'ERR_TLS_RENEGOTIATE' }
    );
  }

  /** The connection is closed: the socket below goes first. */
  onClosed() {
    const { rawSocket } = this.session;

    if (rawSocket === null || rawSocket.destroyed) {
      super.onClosed();
    } else {
      rawSocket.once('close', () => super.onClosed());
      rawSocket.destroy();
    }
  }
}

/** What `_handle` is of the socket below. */
class RawHandle extends ConnectionHandle {
  _close(onclose) {
    const { connection } = this;

    if (!connection.destroyed) connection.close(false);
    setImmediate(onclose);
  }
}

// What is asked of a session. Whatever would have it read or write is not there.
for (const name of [
  'exportKeyingMaterial',
  'getALPNNegotiatedProtocol',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerCertificate',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getProtocol',
  'getProviderType',
  'getServername',
  'getSession',
  'getSharedSigalgs',
  'getTLSTicket',
  'getX509Certificate',
  'hasPeerCertificate',
  'isSessionReused',
  'setMaxSendFragment',
  'setVerifyMode',
  'verifyError'
]) {
  Object.defineProperty(TlsHandle.prototype, name, {
    configurable: true,
    writable: true,
    value(...args) {
      return this.session.ask(name, args);
    }
  });
}

/** What a NativeSocket does, for a TLSSocket. */
const prototype = Object.create(
  tls.TLSSocket.prototype,
  Object.getOwnPropertyDescriptors(NativeSocket.prototype)
);

Object.defineProperties(prototype, {
  constructor: {
    configurable: true,
    writable: true,
    value: tls.TLSSocket
  },
  onClosed: {
    configurable: true,
    writable: true,
    value: function onClosed(reason) {
      const { tlsError } = this._connection;

      if (tlsError === null || this._connectionHandle._onclose !== null) {
        NativeSocket.prototype.onClosed.call(this, reason);
      } else {
        this._emitTLSError(createTlsError(tlsError));
        this.destroy();
      }
    }
  }
});

/** Makes an open TLSSocket of Node's one over `connection`. */
function adoptTlsSocket(socket, connection) {
  const handle = new TlsHandle(connection, socket);
  const { session } = handle;

  connection.session = session;
  NativeSocket.adopt(socket, connection, handle, prototype);
  socket.ssl = handle;

  if (session.rawSocket !== null) {
    session.rawSocket._handle = new RawHandle(connection);
  }
}

/** Whether it is one of those. */
function isNativeTlsSocket(socket) {
  return (
    socket instanceof net.Socket && Object.getPrototypeOf(socket) === prototype
  );
}

module.exports = { adoptTlsSocket, isNativeTlsSocket };
