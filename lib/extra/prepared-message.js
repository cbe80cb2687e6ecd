'use strict';

const { accessTo } = require('./access');
const { EMPTY, isBlob, toBuffer } = require('../payload');

/** That of other copies of this package is one, too. */
const kIsPrepared = Symbol.for('oxws.prepared-message');

/** A message that is encoded, and compressed, once for all who get it. */
class PreparedMessage {
  /**
   * @param {*} data What `websocket.send()` takes, but for Blobs; bytes are copied
   * @param {Object} [options]
   * @param {boolean} [options.binary] By default strings are text and the rest
   *     is binary
   * @param {(boolean|'each')} [options.compress=true] Whether to compress, where that was
   *     negotiated
   * @throws {TypeError} If that cannot be sent
   */
  constructor(data, options) {
    const isText = typeof data === 'string' || typeof data === 'number';
    // An option that is there counts, as for `send()`, whatever it is.
    const { binary, compress } = {
      binary: !isText,
      compress: true,
      ...options
    };

    if (isBlob(data)) {
      throw new TypeError('A Blob has to be read before it is prepared');
    }

    /** Whether it is binary. */
    this.isBinary = Boolean(binary);
    /** `true`, `false`, or `'each'`: by each connection's own compressor. */
    this.compress = compress;
    /** What `send()` gets for those who cannot be sent a frame. */
    this.data = isText ? String(data) : Buffer.from(toBuffer(data || EMPTY));
    /** Its bytes. @type {Buffer} */
    this.bytes = Buffer.isBuffer(this.data)
      ? this.data
      : Buffer.from(this.data);
    /** Frames by the window that they are compressed for; 0 for none. */
    this.frames = new Map();
  }

  /**
   * Sends it to one WebSocket.
   *
   * @param {any} websocket
   * @param {function(Error=): void} [cb] As that of `send()`
   */
  sendTo(websocket, cb) {
    accessTo(websocket).sendPrepared(websocket, this, cb);
  }
}

Object.defineProperty(PreparedMessage.prototype, kIsPrepared, { value: true });

/** Whether it is a `PreparedMessage`, of whatever copy of oxws. */
function isPrepared(value) {
  return (
    typeof value === 'object' && value !== null && value[kIsPrepared] === true
  );
}

module.exports = { PreparedMessage, isPrepared };
