'use strict';

const { kUpgradeSocket } = require('../constants');
const NativeSocket = require('../connection/native-socket');
const { isNativeTlsSocket } = require('../connection/native-tls-socket');
const StreamConnection = require('../connection/stream-connection');
const adopt = require('./adopt');
const { formatHead, formatResponse } = require('./upgrade-response');

/**
 * @typedef {import('stream').Duplex} Duplex
 * @typedef {import('../connection/native-connection')} NativeConnection
 */

/** Sockets that were given to a WebSocket. */
const claimed = new WeakSet();

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

  get isClaimed() {
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

  // A native connection closes by itself when it fails.
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

  get isClaimed() {
    return isNative(this.socket) || claimed.has(this.socket);
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
      return this._startStream();
    }

    connection.write([head]);

    return connection;
  }

  open() {
    return adopt(this.socket, this.early) ?? this._startStream();
  }

  /** Returns a connection over the stream, which JavaScript reads and writes. */
  _startStream() {
    claimed.add(this.socket);
    this.socket.once('close', () => claimed.delete(this.socket));

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

module.exports = { DuplexUpgradeSocket, NativeUpgradeSocket, upgradeSocketFor };
