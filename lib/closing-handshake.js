'use strict';

const {
  kClosing,
  kConnection,
  kEndsNext,
  kStatusCode,
  kSubscribers,
  readyStates
} = require('./constants');
const { channels } = require('./diagnostics');
const { createNotOpen } = require('./errors/protocol-errors');
const emitGuarded = require('./native/emit-guarded');
const timers = require('./node/timers');
const { EMPTY, byteLength, isBlob, toBuffer } = require('./payload');

/** @typedef {import('./websocket')} WebSocket */

const { CLOSED, CLOSING, OPEN } = readyStates;

/** Codes that no frame carries (RFC 6455, section 7.4.1): it had none, there was none. */
const NO_STATUS = 1005;
const ABNORMAL_CLOSURE = 1006;

/**
 * How a WebSocket ends (RFC 6455, section 7). Whatever begins the end is told
 * here, and nowhere else a WebSocket becomes CLOSING:
 *
 * - `start()`: `close()` was called; the peer has `_closeTimeout` to answer, or to
 *   read what it is still sent
 * - `onCloseFrame()`: the peer's close frame came, and is answered with one
 * - `onViolation()`: the peer broke the protocol; it gets a close frame with the
 *   reason, and the program 'error'
 * - `onEnd()`: the peer ended its side; so is ours
 * - `onSendError()`: what was to be sent cannot be
 * - `abort()`: `terminate()` was called
 * - `fail()`, `reportFailure()`: the opening handshake failed
 * - `onDisconnect()`, `onClose()`: the connection is gone
 *
 * Once close frames went both ways this side of the connection is ended; once
 * the connection is closed, 'close' tells code and reason.
 */
class ClosingHandshake {
  /** @param {WebSocket} websocket */
  constructor(websocket) {
    this._websocket = websocket;
  }

  get _connection() {
    return this._websocket[kConnection];
  }

  /** The end of the connection is no surprise to the program. */
  get isExpected() {
    return this.isFrameReceived || this.isErrorEmitted;
  }

  /**
   * Sends a close frame, or ends the connection if both have gone.
   *
   * @param {number} [code]
   * @param {(string|Uint8Array)} [reason]
   * @throws {(TypeError|RangeError)} If one of them may not be sent
   */
  start(code, reason) {
    const websocket = this._websocket;

    if (websocket._readyState === CLOSING) {
      this._endIfDone();
      // The peer has ended without a close frame.
      if (this.timer === null && this._connection?.destroyed === false)
        this._awaitReader();
    } else if (websocket._readyState === OPEN) {
      const onSent = (err) => {
        if (err) return;

        this.isFrameSent = true;
        this._endIfDone();
      };

      onSent[kEndsNext] = true;
      websocket._sender.close(code, reason, !websocket._isServer, onSent);
      // Before what the program does next, as with ws: the I/O thread may come later,
      // and find that who is between has been closed meanwhile.
      if (!this.isFrameReceived) this._connection.flush();
      // A stream may bring the answer inside of that, which begins it, too.
      if (websocket._readyState === OPEN) this._beginWithTimeout();
    }
  }

  /**
   * @param {number} code
   * @param {Buffer} reason
   */
  onCloseFrame(code, reason) {
    const websocket = this._websocket;

    this.hasBegun = websocket._readyState === CLOSING;
    this.isFrameReceived = true;
    this.code = code;
    this.reason = unpooled(reason);

    if (!this._ignoreInput()) return;

    if (code === NO_STATUS) websocket.close();
    else websocket.close(code, reason);
  }

  /**
   * It is reported once the events of its chunk are, when Node's streams would do
   * so: they take a tick more for an error that they hear of inside a write.
   *
   * @param {Error} err
   * @param {boolean} isSync
   */
  onViolation(err, isSync) {
    const report = () => this.reportViolation(err);

    this._isViolationDue = true;
    timers.nextTick(isSync ? () => timers.nextTick(report) : report);
  }

  /** @param {Error} err Its `kStatusCode` is the code to close with */
  reportViolation(err) {
    this._isViolationDue = false;
    this._isViolationReported = true;
    if (this._ignoreInput()) this._websocket.close(err[kStatusCode]);

    try {
      this._emitError(err);
    } finally {
      if (this._isCloseDue) this._websocket.emitClose();
    }
  }

  onEnd() {
    this.begin();
    this._connection.end();
  }

  /** @param {Error} err */
  onSendError(err) {
    const { _connection: connection } = this;
    const { _readyState: readyState } = this._websocket;

    if (readyState === CLOSED) return;
    if (readyState === OPEN) this._beginWithTimeout();

    // The peer may still be sending: end this side and leave it the other.
    connection.end();
    this._emitError(err);
  }

  /** Closes the connection at once, if there still is one. */
  abort() {
    const { _connection: connection } = this;

    if (connection === null) return;

    this.begin();
    connection.destroy();
  }

  /**
   * Ends a WebSocket that was never open.
   *
   * @param {Error} err Why
   */
  fail(err) {
    this.reportFailure(err);
    this._websocket.emitClose();
  }

  /**
   * Tells that it will not be open; who closes its socket has it emit 'close'.
   *
   * @param {Error} err Why
   */
  reportFailure(err) {
    this.begin();
    this.isErrorEmitted = true;
    this._publishError(err);
    emitGuarded(this._websocket, 'error', err);
  }

  /** Nothing can be sent any more; what was received may still be told. */
  onDisconnect() {
    if (this._websocket._readyState === OPEN) this.begin();
  }

  /** The connection is closed, and all that came of it was told. */
  onClose() {
    const websocket = this._websocket;

    this.begin();
    clearTimeout(this.timer);

    if (this._isViolationDue) this._isCloseDue = true;
    else websocket.emitClose();
  }

  /**
   * What is sent too late counts as buffered permanently (WHATWG WebSockets,
   * section 3.1, `bufferedAmount`).
   *
   * @param {*} data
   * @param {function(Error=): void} [cb]
   */
  discard(data, cb) {
    const websocket = this._websocket;

    if (data) {
      const isSized = typeof data === 'string' || isBlob(data);
      const length = byteLength(isSized ? data : toBuffer(data));

      if (this._connection === null) websocket._bufferedAmount += length;
      else websocket._sender._bufferedBytes += length;
    }

    if (cb) process.nextTick(cb, createNotOpen(websocket._readyState));
  }

  /** Nothing is sent from here on but a close frame. */
  begin() {
    const subscribers = /** @type {any} */ (this._websocket)[kSubscribers];

    this._websocket._readyState = CLOSING;

    if (subscribers === undefined) return;

    for (const subscriber of [...subscribers]) subscriber.leave();
  }

  _beginWithTimeout() {
    const { _connection: connection } = this;
    const { _closeTimeout: timeout } = this._websocket;

    this.begin();
    this.timer = setTimeout(() => connection.destroy(), timeout);
  }

  /**
   * Ends the connection once the peer has read nothing of what it is still sent for
   * `_closeTimeout`. With ws it is open for ever.
   */
  _awaitReader() {
    const { _connection: connection } = this;
    const { _closeTimeout: timeout } = this._websocket;
    const taken = connection.bytesTaken;

    this.timer = setTimeout(() => {
      if (connection.bytesTaken === taken) connection.destroy();
      else this._awaitReader();
    }, timeout);
    // With ws there is none that keeps the process alive.
    this.timer.unref?.();
  }

  /**
   * Has the connection take no more messages, only read to its end.
   *
   * @return {boolean} Whether there still is one
   */
  _ignoreInput() {
    const { _connection: connection } = this;

    connection.ignoreInput();
    // Until the program can see that it is closed, the WebSocket acts as if it were not.
    if (connection.destroyed && this._websocket._readyState !== OPEN)
      return false;

    process.nextTick(stopReceiving, connection);

    return true;
  }

  /** Ends our side once close frames went both ways, or the peer failed. */
  _endIfDone() {
    if (
      this.isFrameSent &&
      (this.isFrameReceived || this._isViolationReported)
    ) {
      this._connection.end();
    }
  }

  _emitError(err) {
    if (this.isErrorEmitted) return;

    this.isErrorEmitted = true;
    this._publishError(err);
    this._websocket.emit('error', err);
  }

  _publishError(error) {
    if (channels.error.hasSubscribers) {
      channels.error.publish({ websocket: this._websocket, error });
    }
  }
}

// Until something ends they have in common how it is: an open one is smaller.

/** The code and the reason of the peer's close frame. */
ClosingHandshake.prototype.code = ABNORMAL_CLOSURE;
ClosingHandshake.prototype.reason = EMPTY;
ClosingHandshake.prototype.isFrameReceived = false;
/**
 * Whether the peer's close frame answered one of ours, once it has come.
 *
 * @type {(boolean|undefined)}
 */
ClosingHandshake.prototype.hasBegun = undefined;
ClosingHandshake.prototype.isFrameSent = false;
/** Ends the wait for the peer. @type {?NodeJS.Timeout} */
ClosingHandshake.prototype.timer = null;
/** An 'error' was emitted: there is one at most. */
ClosingHandshake.prototype.isErrorEmitted = false;
/** A violation has failed the connection, and is about to be reported; or has been. */
ClosingHandshake.prototype._isViolationDue = false;
ClosingHandshake.prototype._isViolationReported = false;
/** 'close' comes once it is. */
ClosingHandshake.prototype._isCloseDue = false;

/** The names that `ws` has for its fields, which programs read and set. */
const NAMES = {
  _closeCode: 'code',
  _closeFrameReceived: 'isFrameReceived',
  _closeFrameSent: 'isFrameSent',
  _closeMessage: 'reason',
  _closeTimer: 'timer',
  _errorEmitted: 'isErrorEmitted'
};

/**
 * Gives a class of WebSockets the members that `ws` has in this one's place.
 *
 * @param {Function} Class
 */
function defineFields(Class) {
  for (const [name, field] of Object.entries(NAMES)) {
    Object.defineProperty(Class.prototype, name, {
      configurable: true,
      get() {
        return this[kClosing]?.[field];
      },
      set(value) {
        this[kClosing][field] = value;
      }
    });
  }
}

/** A copy that keeps no larger memory alive for as long as the WebSocket is. */
function unpooled(bytes) {
  if (bytes.length === 0) return EMPTY;

  const copy = Buffer.allocUnsafeSlow(bytes.length);

  copy.set(bytes);

  return copy;
}

function stopReceiving(connection) {
  connection.stopReceiving();
}

module.exports = { ClosingHandshake, defineFields };
