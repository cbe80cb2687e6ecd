'use strict';

const { onClosed } = require('./closed');
const { kConnection, readyStates } = require('../constants');

const { CLOSED, CONNECTING, OPEN } = readyStates;

/** @typedef {import('../websocket')} WebSocket */

/** By WebSocket, those who wait for it. @type {WeakMap<WebSocket, Waiters>} */
const waiting = new WeakMap();

/** A promise that waits. */
class Waiter {
  constructor(threshold, resolve, reject) {
    this.threshold = threshold;
    this._resolve = resolve;
    this._reject = reject;
    this._signal = null;
    this._onAbort = null;
  }

  /** Calls `onAbort` if the signal says so first. */
  watch(signal, onAbort) {
    this._signal = signal;
    this._onAbort = onAbort;
    signal.addEventListener('abort', onAbort, { once: true });
  }

  resolve() {
    this._ignore();
    this._resolve();
  }

  reject(err) {
    this._ignore();
    this._reject(err);
  }

  _ignore() {
    this._signal?.removeEventListener('abort', this._onAbort);
  }
}

/** Those who wait for one WebSocket. */
class Waiters {
  /** @param {WebSocket} websocket */
  constructor(websocket) {
    this._websocket = websocket;
    /** @type {Waiter[]} */
    this._list = [];
    this._ignoreClosed = onClosed(websocket, () => this._fail());
    if (websocket[kConnection] !== null) {
      websocket[kConnection].isDrainAwaited = true;
    }
    waiting.set(websocket, this);
  }

  /** @return {Promise<void>} */
  add(threshold, signal) {
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(threshold, resolve, reject);

      if (signal) {
        waiter.watch(signal, () => {
          this._list = this._list.filter((other) => other !== waiter);
          this._endIfUseless();
          waiter.reject(signal.reason);
        });
      }

      this._list.push(waiter);
      this._ask();
    });
  }

  /** Less waits than before: that may be enough. */
  look() {
    if (this._list.length === 0) return;

    const connection = this._websocket[kConnection];

    // It tells how it ended with 'close'.
    if (connection === null || connection.destroyed) return;

    const queued = queuedBytes(this._websocket);
    const isDone = ({ threshold }) => queued <= threshold;
    const done = this._list.filter(isDone);

    if (done.length > 0) {
      this._list = this._list.filter((waiter) => !isDone(waiter));
      for (const waiter of done) waiter.resolve();
    }

    if (!this._endIfUseless()) this._ask();
  }

  /** Has the connection tell when the first of them may go on. */
  _ask() {
    const { _sender: sender } = this._websocket;
    const connection = this._websocket[kConnection];

    if (connection === null) return;

    const highest = Math.max(...this._list.map(({ threshold }) => threshold));
    const room = highest - sender._bufferedBytes - connection.bytesToCompress;

    // Otherwise too much waits in JavaScript, and that tells by itself.
    if (room >= 0) connection.notifyBufferedAmountLow(room);
  }

  _fail() {
    const list = this._list;

    this._list = [];
    this._endIfUseless();
    for (const waiter of list) waiter.reject(createClosed());
  }

  _endIfUseless() {
    if (this._list.length > 0) return false;

    this._ignoreClosed();
    if (this._websocket[kConnection] !== null) {
      this._websocket[kConnection].isDrainAwaited = false;
    }
    waiting.delete(this._websocket);

    return true;
  }
}

/** Bytes that were sent and that the kernel does not have; nothing is written. */
function queuedBytes(websocket) {
  const connection = websocket[kConnection];

  return connection === null
    ? websocket._bufferedAmount
    : connection.queuedBytes + websocket._sender._bufferedBytes;
}

/**
 * Resolves once no more than `threshold` bytes wait to be written.
 *
 * @param {WebSocket} websocket
 * @param {number} threshold
 * @param {AbortSignal} [signal]
 * @return {Promise<void>}
 */
function waitForDrain(websocket, threshold, signal) {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (websocket.readyState === CLOSED) return Promise.reject(createClosed());

  if (
    queuedBytes(websocket) <= threshold &&
    (websocket[kConnection] === null || !websocket[kConnection].destroyed)
  ) {
    return Promise.resolve();
  }

  const waiters = waiting.get(websocket) ?? new Waiters(websocket);

  return waiters.add(threshold, signal);
}

/**
 * Sends a message and resolves when the next one may be sent.
 *
 * @param {WebSocket} websocket
 * @param {*} data
 * @param {(Object|undefined)} options Those of `websocket.send()`
 * @param {number} highWaterMark
 * @param {AbortSignal} [signal]
 * @return {Promise<void>}
 */
function send(websocket, data, options, highWaterMark, signal) {
  if (signal?.aborted) return Promise.reject(signal.reason);

  const { readyState } = websocket;

  if (readyState !== OPEN && readyState !== CONNECTING) {
    return Promise.reject(createClosed());
  }

  try {
    websocket.send(data, options);
  } catch (err) {
    return Promise.reject(err);
  }

  return waitForDrain(websocket, highWaterMark, signal);
}

/** The connection of this WebSocket has written as much as somebody wanted. */
function onBufferedAmountLow(websocket) {
  waiting.get(websocket)?.look();
}

/** A code of Node's, for a stream that is closed too early. */
function createClosed() {
  return Object.assign(
    new Error('The WebSocket closed before all was written'),
    { code: 'ERR_STREAM_PREMATURE_CLOSE' }
  );
}

module.exports = { onBufferedAmountLow, queuedBytes, send, waitForDrain };
