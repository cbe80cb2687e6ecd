'use strict';

const net = require('net');
const tls = require('tls');

const { kConnection } = require('../constants');
const { createTlsError } = require('../errors/system-errors');
const { ClosingTurn } = require('../native/turns');
const timers = require('../node/timers');
const NativeSocket = require('./native-socket');
const TlsSession = require('./tls-session');

const { ConnectionHandle } = NativeSocket;

const kSession = Symbol('session');

/** What `_handle` is of a TLSSocket over a connection of the engine. */
class TlsHandle extends ConnectionHandle {
  /**
   * @param {import('./native-connection')} connection
   * @param {any} socket A TLSSocket
   * @param {boolean} isInFrame
   */
  constructor(connection, socket, isInFrame) {
    super(connection);

    const { _handle: wrap } = socket;

    this[kSession] = new TlsSession(connection, socket, isInFrame);
    this._parent = wrap._parent;
    this._parentWrap = wrap._parentWrap;
    this._secureContext = wrap._secureContext;
  }

  destroySSL() {
    this[kSession].destroy();
  }

  /** As Node's: the socket has none from here on, and it goes with the handle. */
  _close(onclose, reset) {
    this[kSession].socket.ssl = null;
    super._close(onclose, reset);
  }

  // OpenSSL calls nobody back any more.
  enableKeylogCallback() {}

  enableSessionCallbacks() {}

  enableTrace() {}

  // None is taken part in, and OpenSSL says so once it is told.
  renegotiate() {
    if (this[kSession].isTaken) this[kSession].ask('renegotiate', []);

    throw Object.assign(new Error('no renegotiation'), {
      code: 'ERR_SSL_NO_RENEGOTIATION'
    });
  }

  /** The connection is closed: the socket below goes first. */
  onClosed() {
    const { [kSession]: session } = this;
    const { rawSocket } = session;
    const close = () => {
      const { _secureContext: secureContext } = this;

      session.destroy();
      if (secureContext.singleUse) {
        secureContext.context.close();
        secureContext.context = null;
      }
      session.runInTransport(() => super.onClosed());
    };

    if (rawSocket === null || rawSocket.destroyed) {
      close();
    } else {
      rawSocket.once('close', close);
      rawSocket.destroy();
    }
  }
}

/** What `_handle` is of the socket below. */
class RawHandle extends ConnectionHandle {
  _close(onclose) {
    const { [kConnection]: connection } = this;

    if (!connection.destroyed) connection.close(false);
    // If it is closed, this is when libuv tells of it.
    if (connection.isClosed) timers.nextTick(onclose);
    else new ClosingTurn().once(onclose);
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
  'setKeyCert',
  'setMaxSendFragment',
  'setSession',
  'setVerifyMode',
  'verifyError'
]) {
  Object.defineProperty(TlsHandle.prototype, name, {
    configurable: true,
    writable: true,
    value(...args) {
      return this[kSession].ask(name, args);
    }
  });
}

const descriptors = Object.getOwnPropertyDescriptors(NativeSocket.prototype);

// Node has RST sent by plain sockets only.
delete descriptors.resetAndDestroy;

/** What a NativeSocket does, for a TLSSocket. */
const prototype = Object.create(tls.TLSSocket.prototype, descriptors);

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
function rebindTlsSocket(socket, connection, isInFrame) {
  const handle = new TlsHandle(connection, socket, isInFrame);
  const { [kSession]: session } = handle;

  connection.session = session;
  NativeSocket.rebind(socket, connection, handle, prototype);
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

module.exports = { rebindTlsSocket, isNativeTlsSocket };
