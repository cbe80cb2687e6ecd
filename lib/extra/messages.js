'use strict';

const { accessTo } = require('./access');
const { readyStates } = require('../constants');

const { CLOSED } = readyStates;

/** @typedef {{data: any, isBinary: boolean}} Message */

/** Messages that are kept before reading stops. */
const MAX_KEPT = 16;

/** Codes of connections that have come to their end. 1005 is `close()`'s. */
const ORDERLY = [1000, 1001, 1005];

const OVER = Object.freeze({ done: true, value: undefined });

/** The messages of a WebSocket, for `for await`. */
class Messages {
  constructor(websocket) {
    this._websocket = websocket;
    /** Messages that nobody has taken. @type {Message[]} */
    this._kept = [];
    /** Those who wait for one: `{ resolve, reject }`. */
    this._waiting = [];
    this._hasPaused = false;
    this._isOver = false;
    /** What the last one to ask is told. @type {?Error} */
    this._error = null;
    this._listeners = {
      message: (data, isBinary) => this._onMessage({ data, isBinary }),
      error: (err) => (this._error = err)
    };
    this._ignoreClosed = () => {};

    const access = accessTo(websocket);

    if (websocket.readyState === CLOSED) {
      const { code, reason } = access.closingOf(websocket);

      this._onClose(code, reason);
      return;
    }

    for (const [event, listener] of Object.entries(this._listeners)) {
      websocket.on(event, listener);
    }
    this._ignoreClosed = access.onClosed(websocket, (code, reason) =>
      this._onClose(code, reason)
    );
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @return {Promise<IteratorResult<Message>>} */
  next() {
    if (this._kept.length > 0) {
      const value = this._kept.shift();

      if (this._kept.length === 0) this._resume();

      return Promise.resolve({ done: false, value });
    }

    if (this._isOver) {
      const err = this._error;

      this._error = null;

      return err ? Promise.reject(err) : Promise.resolve(OVER);
    }

    return new Promise((resolve, reject) => {
      this._waiting.push({ resolve, reject });
    });
  }

  /** The loop was left. @return {Promise<IteratorResult<Message>>} */
  return(value) {
    this._kept = [];
    this._error = null;
    this._end();

    return Promise.resolve({ done: true, value });
  }

  _onMessage(value) {
    const waiting = this._waiting.shift();

    if (waiting) {
      waiting.resolve({ done: false, value });
      return;
    }

    this._kept.push(value);

    if (this._kept.length >= MAX_KEPT && !this._websocket.isPaused) {
      this._hasPaused = true;
      this._websocket.pause();
    }
  }

  _onClose(code, reason) {
    if (ORDERLY.includes(code)) this._error = null;
    else this._error ??= createClosed(code, reason);

    this._end();
  }

  _resume() {
    if (!this._hasPaused) return;

    this._hasPaused = false;
    this._websocket.resume();
  }

  _end() {
    if (this._isOver) return;

    this._isOver = true;

    for (const [event, listener] of Object.entries(this._listeners)) {
      this._websocket.removeListener(event, listener);
    }
    this._ignoreClosed();

    this._resume();

    // The first promise that waits is rejected with the reason; for the others it
    // is over.
    for (const { resolve, reject } of this._waiting.splice(0)) {
      const err = this._error;

      this._error = null;
      if (err) reject(err);
      else resolve(OVER);
    }
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(Messages.prototype, Symbol.asyncDispose, {
    async value() {
      await this.return();
    }
  });
}

function createClosed(code, reason) {
  return Object.assign(new Error(`The WebSocket closed with code ${code}`), {
    closeCode: code,
    reason: reason.toString()
  });
}

/**
 * The messages of a WebSocket from now on. It is paused while nobody takes them.
 *
 * @param {any} websocket
 * @return {AsyncIterableIterator<Message>}
 */
function messages(websocket) {
  return new Messages(websocket);
}

module.exports = messages;
