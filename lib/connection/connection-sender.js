'use strict';

const { AsyncResource } = require('async_hooks');
const { isUint8Array } = require('util').types;

const { COMPRESS, KEY, MASK } = require('../native/frame-flags');
const { kInternal } = require('../constants');
const { createAbort } = require('../errors/protocol-errors');
const keepOwn = require('../node/keep-own');
const maskingKey = require('../native/masking-key');
const { byteLength } = require('../payload');
const PerMessageDeflate = require('../permessage-deflate');
const Sender = require('../sender');

/**
 * @typedef {(import('./native-connection')|import('./stream-connection'))} Connection
 * @typedef {import('../websocket')} WebSocket
 */

/** From this length on messages are compressed on another thread, in bytes. */
const LONG = 32 * 1024;

const { frame } = Sender;
const { sendFrame } = Sender.prototype;
const { compress: originalCompress } = PerMessageDeflate.prototype;

/**
 * The sender of an open WebSocket. The connection frames and, if it can, compresses,
 * in order, so that little makes later messages wait here.
 */
class ConnectionSender extends Sender {
  /**
   * @param {WebSocket} websocket
   * @param {Connection} connection
   * @param {function(Buffer): void} [generateMask]
   */
  constructor(websocket, connection, generateMask) {
    super(null, websocket._extensions, generateMask);

    this._connection = connection;
    this._websocket = websocket;

    /** How many messages the connection compresses, and the bytes behind them. */
    this._compressing = 0;
    this._behind = 0;
    /** A Blob waits for them. */
    this._isHeldUp = false;
    this._isPlain = false;
    /** They go to a socket that somebody else has put there. */
    this._isReplaced = false;

    /** Bytes of frames that wait in the socket, and of what is in them. */
    this._frameBytes = 0;
    this._payloadBytes = 0;
  }

  /**
   * Whether somebody watches what becomes of messages: then they go the way of
   * those of ws, for good, as there compression has a window of its own.
   */
  _isWatched() {
    this._isPlain ||=
      this.sendFrame !== sendFrame ||
      Sender.frame !== frame ||
      this._connection.isWriteWatched;

    return this._isPlain;
  }

  _deflate(data, bits, cb) {
    const { _connection: connection } = this;
    const { compress } = this._extensions['permessage-deflate'];

    if (compress !== originalCompress) this._isPlain = true;

    if (connection.awaitingFirstRead) {
      this._holdUp(data, bits, bound(cb));
      connection.onceFirstReadDone(() => this._goOn());
    } else if (this._isWatched()) {
      super._deflate(data, bits, cb);
    } else if (connection.compresses) {
      this._deflateInConnection(data, bits, bound(cb));
    } else if (connection.isWatched) {
      super._deflate(data, bits, cb);
    } else {
      this._deliver(data, bits, cb);
    }
  }

  /**
   * A message that is compressed counts as buffered with its own length, and
   * what is sent after it too, until it is written.
   */
  _deflateInConnection(data, bits, cb) {
    const length = byteLength(data);
    const onSent = (err) => {
      if (--this._compressing === 0) {
        this._bufferedBytes -= this._behind;
        this._behind = 0;
      }

      if (err || this._destroyed) {
        err = createAbort('data was being compressed');
      } else {
        this._bufferedBytes -= length;
      }

      cb?.(err);

      if (this._isHeldUp && this._compressing === 0) this._goOn();
    };

    onSent[kInternal] = true;
    this._bufferedBytes += length;
    this._deliver(data, bits, onSent);
    this._compressing++;
  }

  /** A Blob is read when all before it is compressed. */
  _readBlob(blob, bits, cb) {
    if (this._compressing === 0) {
      super._readBlob(blob, bits, cb);
    } else {
      this._isHeldUp = true;
      this._holdUp(blob, bits, cb);
    }
  }

  _goOn() {
    this._isHeldUp = false;

    if (this._destroyed || this._connection.ending) {
      this._fail(createAbort('data was being compressed'));
    } else {
      this._release();
    }
  }

  _deliver(data, bits, cb) {
    if (this._isWatched()) {
      super._deliver(data, bits, cb);
    } else if (bits & MASK && this._generateMask) {
      const key = maskingKey(this._generateMask, this._maskBuffer);

      this._transmit(data, bits | KEY, key, cb);
    } else {
      this._transmit(data, bits, 0, cb);
    }
  }

  _transmit(data, bits, key, cb) {
    const { _connection: connection } = this;

    cb = functionOrNone(cb);

    if (bits & COMPRESS) {
      if (connection.compresses) connection.transmit(data, bits, key, cb);
      else if (isLong(data)) this._transmitLater(data, bits, key, cb);
      else this._transmitCounted(data, bits, key, cb);
      return;
    }

    if (this._frameBytes > 0) {
      this._transmitCounted(data, bits, key, cb);
      return;
    }

    if (this._compressing > 0) {
      const length = byteLength(data);

      this._bufferedBytes += length;
      this._behind += length;
      cb &&= abortable(cb);
    }

    connection.transmit(data, bits, key, cb);
  }

  /**
   * As with `ws`, which compresses later, a compressed message counts with its
   * own length and not its frame's, and so does what is sent after it, until
   * the socket has written all of it.
   */
  _transmitCounted(data, bits, key, cb) {
    const { _connection: connection } = this;
    const { socket } = connection;
    const before = socket.writableLength;

    if (before === 0) this._frameBytes = this._payloadBytes = 0;
    connection.transmit(data, bits, key, cb);

    const length = socket.writableLength - before;

    if (length > 0 && (bits & COMPRESS || this._frameBytes > 0)) {
      this._frameBytes += length;
      this._payloadBytes += byteLength(data);
    }
  }

  /** Bytes that were sent and are not in the hands of the kernel. */
  get bufferedAmount() {
    const { _frameBytes: frames, _payloadBytes: payloads } = this;
    const written = this._connection.writableLength;
    const isCounted = frames > 0 && written >= frames;

    return (
      this._bufferedBytes + (isCounted ? written - frames + payloads : written)
    );
  }

  /** A long message is compressed elsewhere; what comes behind it waits. */
  _transmitLater(data, bits, key, cb) {
    const length = byteLength(data);

    this._occupy(length);
    this._connection.frameLater(data, bits, key, (frame) => {
      // It could not be made, and what follows cannot do without it.
      if (frame === undefined) this._connection.destroy();

      if (this._destroyed) {
        this._fail(createAbort('data was being compressed'), cb);
        return;
      }

      this._bufferedBytes -= length;
      this._connection.write([frame], cb);
      this._release();
    });
  }

  _write(list, cb) {
    const { _connection: connection } = this;

    if (
      !this._isReplaced &&
      !connection.isWriteWatched &&
      list.every(isChunk)
    ) {
      connection.write(list, functionOrNone(cb));
    } else {
      // What is no chunk is for the socket to convert, or to refuse.
      super._write(list, cb);
    }
  }

  get _destroyed() {
    return this._connection.destroyed;
  }
}

// The `net.Socket` or other `Duplex` that frames go to, until somebody puts
// another one there.
Object.defineProperty(
  /** @type {any} */ (ConnectionSender.prototype),
  '_socket',
  {
    configurable: true,
    get() {
      return this._connection?.exposedSocket;
    },
    set(socket) {
      // Not by the constructor of Sender.
      if (this._connection === undefined) return;

      keepOwn(this, '_socket', socket);
      this._isReplaced = this._isPlain = true;
    }
  }
);

function isChunk(value) {
  return typeof value === 'string' || isUint8Array(value);
}

/** A long string is not measured for that. */
function isLong(data) {
  return data.length >= LONG || byteLength(data) >= LONG;
}

/** A callback of a frame that may be lost behind one being compressed. */
function abortable(cb) {
  return (err) => cb(err && createAbort('data was being compressed'));
}

/** A callback that has the async context of this call, not of a task's end. */
function bound(cb) {
  return typeof cb === 'function' ? AsyncResource.bind(cb, 'ZLIB') : undefined;
}

function functionOrNone(cb) {
  return typeof cb === 'function' ? cb : undefined;
}

module.exports = ConnectionSender;
