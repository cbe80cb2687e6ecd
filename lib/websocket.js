'use strict';

const EventEmitter = require('events');

const ClientHandshake = require('./handshake/client-handshake');
const socketOptionsOf = require('./handshake/socket-options');
const callGuarded = require('./native/call-guarded');
const emitGuarded = require('./native/emit-guarded');
const hideFields = require('./hide-fields');
const { mixEventTarget } = require('./event-target');
const { ClosingHandshake, defineFields } = require('./closing-handshake');
const { channels } = require('./diagnostics');
const { createNotOpen } = require('./errors/protocol-errors');
const { handler, onSenderError, startOptions } = require('./handler');
const keepOwn = require('./node/keep-own');
const Listeners = require('./node/listeners');
const ConnectionOutput = require('./connection/connection-output');
const { BINARY_TYPES, EMPTY } = require('./payload');
const Sender = require('./sender');
const {
  kAttach,
  kClosing,
  kConnection,
  kConnectionOptions,
  kExtra,
  kHandshake,
  kOnClosed,
  kOpen,
  kOriginals,
  kSender,
  kWebSocket,
  readyStates
} = require('./constants');
const { upgradeSocketFor } = require('./handshake/upgrade-socket');

/**
 * @typedef {import('http').ClientRequest} ClientRequest
 * @typedef {import('stream').Duplex} Duplex
 * @typedef {import('./receiver')} Receiver
 */

const { CONNECTING, OPEN, CLOSED } = readyStates;

const NO_EXTENSIONS = Object.freeze({});

const { hasOwn: isOwn } = Object;

/**
 * A WebSocket: one that a server accepted, or a client of this process.
 *
 * Events: `open`, `message` (data, isBinary), `close` (code, reason), `error`
 * (err), `ping` (data), `pong` (data); of clients also `upgrade` (response),
 * `redirect` (url, request), `unexpected-response` (request, response).
 */
class WebSocket extends EventEmitter {
  /**
   * @param {?(string|URL)} address Where to connect to; `null` makes the
   *     WebSocket of a connection that `setSocket()` will bring
   * @param {(string|string[]|Object)} [protocols] The subprotocols to offer; or
   *     the options
   * @param {Object} [options]
   * @throws {(SyntaxError|RangeError|TypeError)} If an argument is invalid
   */
  constructor(address, protocols, options) {
    super();

    // Who patches emitters may have added some.
    const { _eventsCount: count } = /** @type {any} */ (this);

    if (count === 0) this._events = new Listeners();

    this._binaryType = BINARY_TYPES[0];
    this._extensions = NO_EXTENSIONS;
    this._isServer = address === null;
    this._paused = false;
    this._protocol = '';
    this._readyState = CONNECTING;
    this._url = undefined;

    /** The connection, what it was opened with, and its encoder. */
    this[kConnection] = null;
    this[kConnectionOptions] = null;
    this[kSender] = null;

    /** How it ends. */
    this[kClosing] = new ClosingHandshake(this);

    if (address !== null) {
      options = ClientHandshake.connect(this, address, protocols, options);
    }

    this._autoPong = Boolean(options.autoPong);
    this._maxPendingAutoPongs = options.maxPendingAutoPongs | 0;
    this._closeTimeout = options.closeTimeout;

    if (channels.created.hasSubscribers) {
      channels.created.publish({ websocket: this });
    }
  }

  /**
   * What binary messages are delivered as: `nodebuffer`, `arraybuffer`,
   * `fragments` or `blob`. Other values are ignored.
   *
   * @type {string}
   */
  get binaryType() {
    return this._binaryType;
  }

  set binaryType(type) {
    if (!BINARY_TYPES.includes(type)) return;

    this._binaryType = type;
    this[kConnection]?.setBinaryType(type);
  }

  /**
   * Bytes that were sent and are not in the hands of the kernel.
   *
   * @type {number}
   */
  get bufferedAmount() {
    if (this[kConnection] === null) return this._bufferedAmount;

    return this[kConnection].bufferedBytes + this._sender._bufferedBytes;
  }

  /** The names of the negotiated extensions. @type {string} */
  get extensions() {
    return Object.keys(this._extensions).join();
  }

  /** @type {boolean} */
  get isPaused() {
    return this._paused;
  }

  /** The negotiated subprotocol, or an empty string. @type {string} */
  get protocol() {
    return this._protocol;
  }

  /** @type {number} */
  get readyState() {
    return this._readyState;
  }

  /** The URL of a client; of a server's WebSocket `undefined`. @type {string} */
  get url() {
    return this._url;
  }

  /** The `net.Socket` or other `Duplex` below. @type {?Duplex} */
  get _socket() {
    return this[kConnection] === null ? null : this[kConnection].exposedSocket;
  }

  set _socket(value) {
    keepOwn(this, '_socket', value);
  }

  /** The request of a client that connects. @type {?ClientRequest} */
  get _req() {
    return this[kHandshake] === null ? null : this[kHandshake].request;
  }

  set _req(value) {
    keepOwn(this, '_req', value);
  }

  /** What decodes the bytes of the connection. @type {?Receiver} */
  get _receiver() {
    return this[kConnection] === null ? null : this[kConnection].receiver;
  }

  set _receiver(value) {
    keepOwn(this, '_receiver', value);
  }

  /** What frames what is sent. @type {?Sender} */
  get _sender() {
    return this[kSender];
  }

  set _sender(value) {
    keepOwn(this, '_sender', value);
    this[kConnection]?.makeIndirect();
  }

  /**
   * Opens the WebSocket over a stream whose handshake is done.
   *
   * @param {Duplex} socket
   * @param {Buffer} head What was already read after the handshake
   * @param {Object} options
   * @param {boolean} [options.allowSynchronousEvents=true]
   * @param {function(Buffer): void} [options.generateMask]
   * @param {number} [options.maxBufferedChunks=0] 0 is no limit, as below
   * @param {number} [options.maxFragments=0]
   * @param {number} [options.maxPayload=0] In bytes
   * @param {boolean} [options.skipUTF8Validation=false]
   */
  setSocket(socket, head, options) {
    this[kAttach](upgradeSocketFor(socket, head).open(), options);
  }

  /** Opens the WebSocket over a connection, or the way a subclass has for it. */
  [kOpen](connection, options) {
    if (this.setSocket === setSocket) {
      this[kAttach](connection, options);
    } else {
      this.setSocket(
        connection.socket,
        connection.early || EMPTY,
        socketOptionsOf(options, this._isServer)
      );
    }
  }

  [kAttach](connection, options) {
    // What was put there before goes, as in ws.
    if (isOwn(this, '_socket')) delete this._socket;
    if (isOwn(this, '_receiver')) delete this._receiver;
    if (isOwn(this, '_sender')) delete this._sender;

    const sender = new Sender(
      null,
      this._extensions,
      options.generateMask,
      (sender) => new ConnectionOutput(sender, connection)
    );

    sender[kWebSocket] = this;
    sender.onerror = onSenderError;
    this[kConnection] = connection;
    this[kConnectionOptions] = options;
    this[kSender] = sender;

    connection.start(this, handler, startOptions(this, options));

    this._readyState = OPEN;
    if (channels.open.hasSubscribers) {
      const { extensions, protocol } = this;

      channels.open.publish({ websocket: this, protocol, extensions });
    }
    emitGuarded(this, 'open');
  }

  /** Ends the life of the WebSocket with the event `close`. */
  emitClose() {
    const deflate = this._extensions['permessage-deflate'];

    // That calls back, and 'close' must come whatever happens there.
    if (deflate) {
      callGuarded(() => deflate.cleanup());
      callGuarded(() => this[kConnection]?.abortCompression());
    }
    this._readyState = CLOSED;

    const { code, reason } = this[kClosing];

    if (channels.close.hasSubscribers) {
      channels.close.publish({ websocket: this, code, reason });
    }
    this[kOnClosed]?.forEach((tell) => tell(code, reason));
    this.emit('close', code, reason);
  }

  /**
   * Starts the closing handshake: sends a close frame, waits for the peer's,
   * then for the end of the connection; not longer than `closeTimeout`.
   *
   * @param {number} [code] The status code; without one the frame is empty
   * @param {(string|Uint8Array)} [data] The reason, 123 bytes at most
   * @throws {(TypeError|RangeError)} If an argument may not be sent
   */
  close(code, data) {
    if (this._readyState === CONNECTING) this[kHandshake].abandon();
    else this[kClosing].start(code, data);
  }

  /** Closes the connection at once. */
  terminate() {
    if (this._readyState === CLOSED) return;

    if (this._readyState === CONNECTING) this[kHandshake].abandon();
    else this[kClosing].abort();
  }

  /** Stops reading. Messages that are already decoded may still come. */
  pause() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;

    this._paused = true;
    this[kConnection]?.pause();
  }

  /** Reads on. */
  resume() {
    if (this._readyState === CONNECTING || this._readyState === CLOSED) return;

    this._paused = false;
    this[kConnection]?.resume();
  }

  /**
   * Sends a message, or a fragment of one.
   *
   * @param {*} data A string, bytes, a Blob, or what `Buffer.from()` takes
   * @param {Object} [options] `binary`: by default strings are text and the
   *     rest is binary; `compress`: by default yes, if that was negotiated;
   *     `fin`: whether this ends the message, by default it does; `mask`: by
   *     default clients mask
   * @param {function(Error=): void} [cb] Called when the data was handed to the
   *     kernel
   * @throws {Error} While the WebSocket is connecting
   */
  send(data, options, cb) {
    if (this._readyState === CONNECTING) throw createNotOpen(CONNECTING);

    if (typeof options === 'function') {
      cb = options;
      options = undefined;
    }

    if (typeof data === 'number') data = data.toString();

    if (this._readyState !== OPEN) {
      this[kClosing].discard(data, cb);
      return;
    }

    let binary = typeof data !== 'string';
    let compress = true;
    let fin = true;
    let mask = !this._isServer;

    if (typeof options === 'object' && options !== null) {
      // Only own ones count, and asking for that takes longer than for any.
      if ('binary' in options && isOwn(options, 'binary')) {
        binary = options.binary;
      }
      if ('compress' in options && isOwn(options, 'compress')) {
        compress = options.compress;
      }
      if ('fin' in options && isOwn(options, 'fin')) fin = options.fin;
      if ('mask' in options && isOwn(options, 'mask')) mask = options.mask;
    }

    if (channels.sent.hasSubscribers) {
      channels.sent.publish({ websocket: this, data: data || EMPTY, binary });
    }

    const sender = this._sender;

    if (sender.send === send) {
      sender._sendMessage(data || EMPTY, binary, compress, fin, mask, cb);
    } else {
      compress &&= this._extensions['permessage-deflate'] !== undefined;
      sender.send(
        data || EMPTY,
        { ...options, binary, compress, fin, mask },
        cb
      );
    }
  }

  /**
   * Sends a ping.
   *
   * @param {*} [data] 125 bytes at most
   * @param {boolean} [mask] By default clients mask
   * @param {function(Error=): void} [cb]
   * @throws {(Error|RangeError)} While connecting; if the data is too long
   */
  ping(data, mask, cb) {
    sendControl(this, 'ping', data, mask, cb);
  }

  /**
   * Sends a pong.
   *
   * @param {*} [data] 125 bytes at most
   * @param {boolean} [mask] By default clients mask
   * @param {function(Error=): void} [cb]
   * @throws {(Error|RangeError)} While connecting; if the data is too long
   */
  pong(data, mask, cb) {
    sendControl(this, 'pong', data, mask, cb);
  }
}

const { send } = Sender.prototype;
const { setSocket } = WebSocket.prototype;

for (const [name, value] of Object.entries(readyStates)) {
  const constant = { enumerable: true, value };

  Object.defineProperty(WebSocket, name, constant);
  Object.defineProperty(WebSocket.prototype, name, constant);
}

for (const attribute of [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url'
]) {
  Object.defineProperty(WebSocket.prototype, attribute, { enumerable: true });
}

// What few of them change they have in common: an idle one is smaller.

/** Bytes sent when there was no connection any more, or none yet. */
WebSocket.prototype._bufferedAmount = 0;
/** The opening handshake of a client, as long as it lasts. */
WebSocket.prototype[kHandshake] = null;
/** @type {?Set<function(number, Buffer): void>} */
WebSocket.prototype[kOnClosed] = null;
WebSocket.prototype._redirects = 0;
/** @type {?function(): void} */
WebSocket.prototype._autoPongComplete = null;
WebSocket.prototype._pendingAutoPongs = 0;

hideFields(WebSocket, [
  '_bufferedAmount',
  '_redirects',
  '_autoPongComplete',
  '_pendingAutoPongs'
]);

defineFields(WebSocket);
mixEventTarget(WebSocket);

Object.defineProperty(WebSocket.prototype, kOriginals, {
  value: {
    send: WebSocket.prototype.send,
    sender: Sender.prototype,
    senderSend: send
  }
});

/** Loaded by those who use `oxws/extra`. */
let access;

Object.defineProperty(WebSocket.prototype, kExtra, {
  get: () => (access ??= require('./extra/websocket-access'))
});

function sendControl(websocket, type, data, mask, cb) {
  if (websocket._readyState === CONNECTING) throw createNotOpen(CONNECTING);

  if (typeof data === 'function') {
    cb = data;
    data = mask = undefined;
  } else if (typeof mask === 'function') {
    cb = mask;
    mask = undefined;
  }

  if (typeof data === 'number') data = data.toString();

  if (websocket._readyState !== OPEN) {
    websocket[kClosing].discard(data, cb);
    return;
  }

  if (mask === undefined) mask = !websocket._isServer;

  websocket._sender[type](data || EMPTY, mask, cb);
}

module.exports = WebSocket;
