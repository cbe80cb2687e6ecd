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
const closePayload = require('./close-payload');
const FrameOutput = require('./connection/frame-output');
const hideFields = require('./hide-fields');
const { BLOB, SendQueue } = require('./connection/send-queue');
const maskingKey = require('./native/masking-key');
const keepOwn = require('./node/keep-own');
const { byteLength, isBlob, toBuffer } = require('./payload');

/** @typedef {import('./permessage-deflate')} PerMessageDeflate */

/** The option that leaves text to the socket to encode. */
const kKeepsText = Symbol('keeps-text');
const kOutput = Symbol('output');
const kSendQueue = Symbol('send-queue');

/** The bits of a frame's opcode. */
const OPCODE = 0xf;

/** RFC 6455, section 5.5: "All control frames MUST have a payload length of
 * 125 bytes or less". */
const MAX_CONTROL_LENGTH = 125;

/**
 * Frames messages and writes them, in the order of the calls: what is sent after
 * a Blob or a message to compress waits until that is written.
 */
class Sender {
  /**
   * @param {import('stream').Duplex} socket
   * @param {Object<string, PerMessageDeflate>} [extensions] The negotiated
   *     extensions
   * @param {function(Buffer): void} [generateMask] Fills the four bytes of a
   *     masking key; without it they are random
   * @param {function(Sender): FrameOutput} [createOutput] What to write to in
   *     the place of `socket`
   */
  constructor(socket, extensions, generateMask, createOutput = undefined) {
    this._extensions = extensions || {};
    if (generateMask) {
      this._generateMask = generateMask;
      this._maskBuffer = Buffer.alloc(4);
    }

    this[kOutput] = createOutput ? createOutput(this) : new FrameOutput(this);
    /** Made with the first message. @type {?SendQueue} */
    this[kSendQueue] = null;
    if (!createOutput) keepOwn(this, '_socket', socket);
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
   * @return {(string|Uint8Array)[]} One or two pieces: the header, then the payload
   */
  static frame(data, options) {
    let flags = options.opcode;
    let key = 0;

    if (options.fin) flags |= FIN;
    if (options.rsv1) flags |= RSV1;
    if (options.mask) flags |= MASK;
    if (options.mask && options.generateMask) {
      key = maskingKey(
        options.generateMask,
        options.maskBuffer || Buffer.alloc(4)
      );
      flags |= KEY;
    }

    if (typeof data === 'string' && !options[kKeepsText]) {
      data = Buffer.from(data);
    }

    return encode(data, flags, key, !options.readOnly);
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
    this._sendQueue.add(
      closePayload(code, data),
      controlFlags(CLOSE, mask),
      cb
    );
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
    let flags = controlFlags(opcode, mask);

    if (isBlob(data)) flags |= BLOB;
    else if (typeof data !== 'string') data = toBuffer(data);

    if (byteLength(data) > MAX_CONTROL_LENGTH) {
      throw new RangeError('The data size must not be greater than 125 bytes');
    }

    this._sendQueue.add(data, flags, cb);
  }

  _sendMessage(data, binary, compress, fin, mask, cb) {
    let flags = CONTINUATION;

    // An array of no length may be without its memory.
    if (typeof data !== 'string' && !(isUint8Array(data) && data.length > 0)) {
      if (isBlob(data)) flags |= BLOB;
      else data = toBuffer(data);
    }

    if (this._firstFragment) {
      const compresses = compress ? this._isWorthCompressing(data) : false;

      flags |= binary ? BINARY : TEXT;
      if (compresses) flags |= RSV1;
      if (this._compress !== compresses) this._compress = compresses;
    }

    const { _sendQueue: queue } = this;

    if (this._firstFragment !== Boolean(fin))
      this._firstFragment = Boolean(fin);

    if (fin) {
      flags |= FIN;
      queue.messages++;
    } else {
      this[kOutput].makeIndirect();
    }

    if (mask) flags |= MASK;
    if (this._compress) flags |= COMPRESS;

    queue.add(data, flags, cb);
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

  /** A frame as whatever `Sender.frame()` is makes it. */
  _frame(data, flags) {
    const options = {
      fin: (flags & FIN) !== 0,
      generateMask: this._generateMask,
      mask: (flags & MASK) !== 0,
      maskBuffer: this._maskBuffer,
      opcode: flags & OPCODE,
      readOnly: true,
      rsv1: (flags & RSV1) !== 0,
      [kKeepsText]: true
    };

    return Sender.frame(data, options);
  }

  /**
   * Sends a frame of the queue's by whatever `Sender.frame()` and `sendFrame()` are.
   * The latter counts messages, and this one was counted before.
   */
  _sendOwnFrame(data, flags, cb) {
    if (endsMessage(flags)) this._sendQueue.messages--;
    this.sendFrame(this._frame(data, flags), cb);
  }

  /**
   * Writes a frame that `Sender.frame()` made.
   *
   * @param {(string|Uint8Array)[]} list
   * @param {function(Error=): void} [cb]
   */
  sendFrame(list, cb) {
    this[kOutput].write(list, cb);
    if (endsMessage(list[0]?.[0])) this._sendQueue.messages++;
  }

  get _sendQueue() {
    return (this[kSendQueue] ??= new SendQueue(this[kOutput], this));
  }

  /** How many messages were sent. */
  get _messagesSent() {
    return this[kSendQueue] === null ? 0 : this[kSendQueue].messages;
  }

  /** Nothing waits here, no message is unfinished, and nobody observes any. */
  get isIdle() {
    return (
      this._firstFragment && this._sendQueue.isIdle && !this[kOutput].isObserved
    );
  }

  /** Whether a program has replaced what frames pass through. */
  get _isPatched() {
    return this.sendFrame !== sendFrame || Sender.frame !== frame;
  }

  /** Bytes that are not written yet. */
  get _bufferedBytes() {
    return this._sendQueue.bufferedBytes;
  }

  set _bufferedBytes(count) {
    this._sendQueue.bufferedBytes = count;
  }

  /** What it is busy with: 0 nothing, 1 compressing, 2 reading a Blob. */
  get _state() {
    return this._sendQueue.state;
  }

  /**
   * The stream that frames go to. That of an open WebSocket is made when it is
   * asked for; a program may put another one there.
   */
  get _socket() {
    return /** @type {any} */ (this[kOutput]).socket;
  }

  set _socket(socket) {
    keepOwn(this, '_socket', socket);
    /** @type {any} */ (this[kOutput]).onSocketReplaced();
  }
}

// In common, as in `connection/connection.js`.

/** @type {function(Buffer): void} */
Sender.prototype._generateMask = undefined;
/** @type {?Buffer} */
Sender.prototype._maskBuffer = null;
Sender.prototype._firstFragment = true;
Sender.prototype._compress = false;
/** @type {function(Error): void} */
Sender.prototype.onerror = ignore;

hideFields(Sender, Object.keys(Sender.prototype));

const { frame } = Sender;
const { sendFrame } = Sender.prototype;

/**
 * Frames a payload.
 *
 * @param {(string|Uint8Array)} data
 * @param {number} flags How, see `frame-flags.js`
 * @param {number} key The masking key, if `flags` has KEY
 * @param {boolean} inPlace Whether `data` may be masked where it lies
 * @return {(string|Uint8Array)[]}
 */
function encode(data, flags, key, inPlace) {
  const length = byteLength(data);

  if (flags & MASK && !(flags & KEY)) {
    key = native.randomKey();
    flags |= KEY;
  }

  const header = native.encodeHeader(length, flags, key);

  if (length === 0) return [header];
  if (!(flags & MASK)) return [header, data];
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

/** Whether a frame with this first byte, or these flags, is the last of a message. */
function endsMessage(flags) {
  return (flags & FIN) !== 0 && (flags & OPCODE) <= BINARY;
}

function controlFlags(opcode, mask) {
  return opcode | FIN | (mask ? MASK : 0);
}

function ignore() {}

module.exports = Sender;
