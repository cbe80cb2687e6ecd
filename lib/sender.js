'use strict';

const { isUint8Array } = require('util').types;

const native = require('./native/addon');
const {
  BINARY,
  CLOSE,
  COMPRESS,
  CONTINUATION,
  FIN,
  KEY,
  MASK,
  PING,
  PONG,
  RSV1,
  TEXT
} = require('./native/frame-flags');
const { closePayload } = require('./closing-handshake');
const { createAbort } = require('./errors/protocol-errors');
const maskingKey = require('./native/masking-key');
const { byteLength, isBlob, toBuffer } = require('./payload');

/** @typedef {import('./permessage-deflate')} PerMessageDeflate */

/** The option that leaves text to the socket to encode. */
const kKeepsText = Symbol('keeps-text');

/** The bits of a frame's opcode. */
const OPCODE = 0xf;

/** Marks a payload that is still a Blob. It never leaves this file. */
const BLOB = 0x10000;

/** RFC 6455, section 5.5: "All control frames MUST have a payload length of
 * 125 bytes or less". */
const MAX_CONTROL_LENGTH = 125;

/** What a sender is busy with; all that is sent meanwhile waits its turn. */
const IDLE = 0;
const COMPRESSING = 1;
const READING_BLOB = 2;

/**
 * Frames messages and writes them to a stream, in the order of the calls: what
 * is sent after a Blob or a message to compress waits until that is written.
 */
class Sender {
  /**
   * @param {import('stream').Duplex} socket
   * @param {Object<string, PerMessageDeflate>} [extensions] The negotiated
   *     extensions
   * @param {function(Buffer): void} [generateMask] Fills the four bytes of a
   *     masking key; without it they are random
   */
  constructor(socket, extensions, generateMask) {
    this._extensions = extensions || {};
    this._generateMask = generateMask;
    this._maskBuffer = generateMask ? Buffer.alloc(4) : null;
    this._socket = socket;

    this._firstFragment = true;
    this._compress = false;

    this._bufferedBytes = 0;
    this._queue = null;
    this._state = IDLE;
    /** @type {function(Error): void} */
    this.onerror = ignore;
  }

  /**
   * Makes a frame.
   *
   * @param {(string|Uint8Array)} data The payload
   * @param {Object} options
   * @param {number} options.opcode
   * @param {boolean} [options.fin=false]
   * @param {boolean} [options.rsv1=false]
   * @param {boolean} [options.mask=false]
   * @param {boolean} [options.readOnly=false] Leave `data` as it is when it
   *     has to be masked
   * @param {function(Buffer): void} [options.generateMask]
   * @param {Buffer} [options.maskBuffer] Where `generateMask` puts the key
   * @return {(string|Uint8Array)[]} One or two chunks: the header, then the payload
   */
  static frame(data, options) {
    let bits = options.opcode;
    let key = 0;

    if (options.fin) bits |= FIN;
    if (options.rsv1) bits |= RSV1;
    if (options.mask) bits |= MASK;
    if (options.mask && options.generateMask) {
      key = maskingKey(
        options.generateMask,
        options.maskBuffer || Buffer.alloc(4)
      );
      bits |= KEY;
    }

    if (typeof data === 'string' && !options[kKeepsText]) {
      data = Buffer.from(data);
    }

    return encode(data, bits, key, !options.readOnly);
  }

  /**
   * Sends a close frame.
   *
   * @param {number} [code] The status code
   * @param {(string|Uint8Array)} [data] The reason
   * @param {boolean} [mask=false]
   * @param {function(Error=): void} [cb]
   * @throws {(TypeError|RangeError)} If the code or the reason may not be sent
   */
  close(code, data, mask, cb) {
    this._submit(closePayload(code, data), controlBits(CLOSE, mask), cb);
  }

  /**
   * Sends a ping.
   *
   * @param {*} data
   * @param {boolean} [mask=false]
   * @param {function(Error=): void} [cb]
   * @throws {RangeError} If the data is longer than 125 bytes
   */
  ping(data, mask, cb) {
    this._sendControl(PING, data, mask, cb);
  }

  /**
   * Sends a pong.
   *
   * @param {*} data
   * @param {boolean} [mask=false]
   * @param {function(Error=): void} [cb]
   * @throws {RangeError} If the data is longer than 125 bytes
   */
  pong(data, mask, cb) {
    this._sendControl(PONG, data, mask, cb);
  }

  /**
   * Sends a message, or a fragment of one.
   *
   * @param {*} data
   * @param {Object} options
   * @param {boolean} [options.binary=false] Binary or text
   * @param {boolean} [options.compress=false]
   * @param {boolean} [options.fin=false] Whether this ends the message
   * @param {boolean} [options.mask=false]
   * @param {function(Error=): void} [cb]
   */
  send(data, { binary, compress, fin, mask }, cb) {
    this._sendMessage(data, binary, compress, fin, mask, cb);
  }

  _sendControl(opcode, data, mask, cb) {
    let bits = controlBits(opcode, mask);

    if (isBlob(data)) bits |= BLOB;
    else if (typeof data !== 'string') data = toBuffer(data);

    if (byteLength(data) > MAX_CONTROL_LENGTH) {
      throw new RangeError('The data size must not be greater than 125 bytes');
    }

    this._submit(data, bits, cb);
  }

  _sendMessage(data, binary, compress, fin, mask, cb) {
    let bits = CONTINUATION;

    // An array of no length may be without its memory.
    if (typeof data !== 'string' && !(isUint8Array(data) && data.length > 0)) {
      if (isBlob(data)) bits |= BLOB;
      else data = toBuffer(data);
    }

    if (this._firstFragment) {
      bits |= binary ? BINARY : TEXT;
      this._compress = compress ? this._isWorthCompressing(data) : false;
      if (this._compress) bits |= RSV1;
    }

    this._firstFragment = Boolean(fin);

    if (fin) bits |= FIN;
    if (mask) bits |= MASK;
    if (this._compress) bits |= COMPRESS;

    this._submit(data, bits, cb);
  }

  /**
   * The threshold holds only where each message has to stand on its own: with
   * context takeover a short message still feeds and uses the window.
   */
  _isWorthCompressing(data) {
    const deflate = this._extensions['permessage-deflate'];

    if (!deflate) return false;

    const side = deflate._isServer ? 'server' : 'client';

    return (
      !deflate.params[`${side}_no_context_takeover`] ||
      byteLength(data) >= deflate._threshold
    );
  }

  _submit(data, bits, cb) {
    if (this._state === IDLE) {
      this._dispatch(data, bits, cb);
      return;
    }

    const length = byteLength(data);

    this._bufferedBytes += length;
    this._queue ??= [];
    this._queue.push({ data, bits, length, cb });
  }

  /** Has a message wait, and with it all that comes behind it. */
  _holdUp(data, bits, cb) {
    const length = byteLength(data);

    this._occupy(length);
    this._queue ??= [];
    this._queue.unshift({ data, bits, length, cb });
  }

  /** Has what comes wait until so many bytes are compressed. */
  _occupy(length) {
    this._bufferedBytes += length;
    this._state = COMPRESSING;
  }

  /** Sends what waits. */
  _release() {
    this._state = IDLE;
    this._dequeue();
  }

  _dispatch(data, bits, cb) {
    if (bits & BLOB) this._readBlob(data, bits, cb);
    else if (bits & COMPRESS) this._deflate(data, bits, cb);
    else this._deliver(data, bits, cb);
  }

  _dequeue() {
    while (this._state === IDLE && this._queue?.length) {
      const { data, bits, length, cb } = this._queue.shift();

      this._bufferedBytes -= length;
      this._dispatch(data, bits, cb);
    }
  }

  _readBlob(blob, bits, cb) {
    const { size } = blob;

    this._bufferedBytes += size;
    this._state = READING_BLOB;

    // Callbacks and listeners run outside the promise, so that what they throw
    // is an uncaught exception and not a rejection.
    blob
      .arrayBuffer()
      .then((contents) => {
        if (this._destroyed) {
          const err = createAbort('the blob was being read');

          process.nextTick(() => this._fail(err, cb));
          return;
        }

        this._bufferedBytes -= size;
        this._state = IDLE;
        this._dispatch(Buffer.from(contents), bits & ~BLOB, cb);
        this._dequeue();
      })
      .catch((err) => {
        process.nextTick(() => {
          this._fail(err, cb);
          this.onerror(err);
        });
      });
  }

  _deflate(data, bits, cb) {
    const length = byteLength(data);
    const deflate = this._extensions['permessage-deflate'];

    this._occupy(length);

    deflate.compress(data, (bits & FIN) !== 0, (_, compressed) => {
      if (this._destroyed) {
        this._fail(createAbort('data was being compressed'), cb);
        return;
      }

      this._bufferedBytes -= length;
      this._state = IDLE;
      this._deliver(compressed, bits & ~COMPRESS, cb);
      this._dequeue();
    });
  }

  /**
   * Tells the sender of a message, and all who wait behind it, of a failure.
   *
   * @param {Error} err
   * @param {Function} [cb] The sender's
   */
  _fail(err, cb) {
    if (typeof cb === 'function') cb(err);

    for (const waiting of this._queue ?? []) {
      if (typeof waiting.cb === 'function') waiting.cb(err);
    }
  }

  /** Frames a payload and writes it to the output. */
  _deliver(data, bits, cb) {
    const options = {
      fin: (bits & FIN) !== 0,
      generateMask: this._generateMask,
      mask: (bits & MASK) !== 0,
      maskBuffer: this._maskBuffer,
      opcode: bits & OPCODE,
      readOnly: true,
      rsv1: (bits & RSV1) !== 0,
      [kKeepsText]: true
    };

    this.sendFrame(Sender.frame(data, options), cb);
  }

  /**
   * Writes a frame that `Sender.frame()` made.
   *
   * @param {(string|Uint8Array)[]} list
   * @param {function(Error=): void} [cb]
   */
  sendFrame(list, cb) {
    this._write(list, cb);
  }

  _write(list, cb) {
    const last = list.length - 1;

    if (last > 0) this._socket.cork();
    for (let i = 0; i < last; i++) this._socket.write(list[i]);
    this._socket.write(list[last], cb);
    if (last > 0) this._socket.uncork();
  }

  /** Whether the output is gone. */
  get _destroyed() {
    return this._socket.destroyed;
  }
}

/**
 * Frames a payload.
 *
 * @param {(string|Uint8Array)} data
 * @param {number} bits How, see `bits.js`
 * @param {number} key The masking key, if `bits` has KEY
 * @param {boolean} inPlace Whether `data` may be masked where it lies
 * @return {(string|Uint8Array)[]}
 */
function encode(data, bits, key, inPlace) {
  const length = byteLength(data);

  if (bits & MASK && !(bits & KEY)) {
    key = native.randomKey();
    bits |= KEY;
  }

  const header = native.encodeHeader(length, bits, key);

  if (length === 0) return [header];
  if (!(bits & MASK)) return [header, data];
  if (typeof data === 'string') data = Buffer.from(data);

  if (inPlace) {
    native.mask(data, key, data, 0);
    return [header, data];
  }

  const frame = Buffer.allocUnsafe(header.length + length);

  frame.set(header);
  native.mask(data, key, frame, header.length);

  return [frame];
}

function controlBits(opcode, mask) {
  return opcode | FIN | (mask ? MASK : 0);
}

function ignore() {}

module.exports = Sender;
