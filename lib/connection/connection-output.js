'use strict';

const { isUint8Array } = require('util').types;

const { KEY, MASK } = require('../native/frame-flags');
const maskingKey = require('../native/masking-key');
const PerMessageDeflate = require('../permessage-deflate');
const FrameOutput = require('./frame-output');

/**
 * @typedef {import('./stream-connection')} StreamConnection
 * @typedef {(import('./native-connection')|StreamConnection)} Connection
 * @typedef {import('../sender')} Sender
 */

const { compress: originalCompress } = PerMessageDeflate.prototype;

/**
 * The output of an open WebSocket. The connection frames, and as a rule
 * compresses, unless a program observes what becomes of messages.
 */
class ConnectionOutput extends FrameOutput {
  /**
   * @param {Sender} sender
   * @param {Connection} connection
   */
  constructor(sender, connection) {
    super(sender);

    this._connection = connection;
  }

  /** The `net.Socket` or other `Duplex` below. */
  get socket() {
    return this._connection.exposedSocket;
  }

  get isDestroyed() {
    return this._connection.destroyed;
  }

  get isEnding() {
    return this._connection.destroyed || this._connection.ending;
  }

  onDequeued() {
    this._connection.onDequeued();
  }

  /** Frames go to what is `sender._socket` now. */
  onSocketReplaced() {
    this._isReplaced = this._wasObserved = true;
    this._connection.makeIndirect();
  }

  makeIndirect() {
    this._connection.makeIndirect();
  }

  get isCompressing() {
    return this._connection.isCompressing;
  }

  onceCompressed(callback) {
    this._connection.onceCompressed(callback);
  }

  get awaitingFirstRead() {
    return this._connection.awaitingFirstRead;
  }

  onceFirstReadDone(callback) {
    this._connection.onceFirstReadDone(callback);
  }

  compressesLater(data) {
    return this._usesExtension() || this._connection.compressesLater(data);
  }

  compress(data, flags, callback) {
    if (this._usesExtension()) {
      super.compress(data, flags, callback);
      return;
    }

    // The engine compresses for the native ones, until they are detached.
    const connection = /** @type {StreamConnection} */ (this._connection);

    flags = this._withKey(flags);

    connection.frameLater(data, flags, this._keyFor(flags), (frame) => {
      if (frame === undefined) {
        // It was not made, and what follows cannot do without it.
        connection.destroy();
        callback(undefined);
      } else {
        callback((cb) => connection.writeFrames([frame], functionOrNone(cb)));
      }
    });
  }

  transmit(data, flags, cb) {
    if (this.isObserved) {
      super.transmit(data, flags, cb);
    } else {
      flags = this._withKey(flags);

      const key = this._keyFor(flags);

      this._connection.transmit(data, flags, key, functionOrNone(cb));
    }
  }

  write(list, cb) {
    const { _connection: connection } = this;

    if (
      !this._isReplaced &&
      !connection.isWriteObserved &&
      list.every(isTextOrBytes)
    ) {
      connection.writeFrames(list, functionOrNone(cb));
    } else {
      // Anything else is for the socket to convert, or to refuse.
      super.write(list, cb);
    }
  }

  /**
   * Whether a program observes what becomes of messages: then they go the way
   * of those of ws, permanently, as there compression has a window of its own.
   */
  get isObserved() {
    if (
      !this._wasObserved &&
      (this._sender._isPatched || this._connection.isWriteObserved)
    ) {
      this._wasObserved = true;
    }

    return this._wasObserved;
  }

  /** Whether `PerMessageDeflate` compresses. */
  _usesExtension() {
    const { compress } = this._sender._extensions['permessage-deflate'];

    if (compress !== originalCompress) this._wasObserved = true;

    return this.isObserved || this._connection.isReceiverObserved;
  }

  /** The flags, with `KEY` where the program makes the masking key. */
  _withKey(flags) {
    return flags & MASK && this._sender._generateMask ? flags | KEY : flags;
  }

  _keyFor(flags) {
    if ((flags & KEY) === 0) return 0;

    return maskingKey(this._sender._generateMask, this._sender._maskBuffer);
  }
}

// In common, as in `connection.js`.

ConnectionOutput.prototype._wasObserved = false;
/** Frames go to a socket that somebody else has put there. */
ConnectionOutput.prototype._isReplaced = false;

function isTextOrBytes(value) {
  return typeof value === 'string' || isUint8Array(value);
}

function functionOrNone(cb) {
  return typeof cb === 'function' ? cb : undefined;
}

module.exports = ConnectionOutput;
