'use strict';

const { accessTo, accessToServer, clientsOf } = require('./access');
const closePayload = require('../close-payload');
const forEachInBatches = require('./batches');
const { checkDuration } = require('./options');
const { readyStates } = require('../constants');

const { CLOSED, OPEN } = readyStates;

/** How often some of many close frames are sent, in milliseconds. */
const STEP = 20;

/** By server, what its `shutdown()` resolves to. @type {WeakMap<any, Promise>} */
const shutdowns = new WeakMap();

/** Closes the connections of a server. */
class Shutdown {
  /**
   * @param {any} server
   * @param {{code: number, reason: string, timeout: number, spread: number}}
   *     options
   */
  constructor(server, options) {
    this._server = server;
    this._options = options;
    this._terminated = 0;
    /** The clients to send a close frame to, and how many of them were sent one. */
    this._clients = [];
    this._next = 0;
    /** Those that are not closed. */
    this._left = 0;
    /** @type {function(any=): void} */
    this._onLastClosed = () => {};
  }

  /** @return {Promise<{closed: number, terminated: number}>} */
  async run() {
    const { timeout, spread } = this._options;
    const terminate = setTimeout(() => this._terminate(), timeout);

    this._takeClients();
    if (spread > 0) this._spread();

    // Who called this may have been asked about one that is being accepted.
    await null;
    this._takeClients();
    await this._whenClosed();
    clearTimeout(terminate);
    clearInterval(this._interval);

    // The program may have removed the listener that does so.
    for (const client of this._clients) this._server.clients.delete(client);

    await new Promise((resolve) => this._server.close(resolve));

    const terminated = this._terminated;

    return { closed: this._clients.length - terminated, terminated };
  }

  /** Adds those that have come since. */
  _takeClients() {
    const known = new Set(this._clients);

    for (const websocket of this._server.clients) {
      if (known.has(websocket)) continue;

      this._clients.push(websocket);
      if (isNotClosed(websocket)) this._awaitClose(websocket);
    }

    if (this._options.spread === 0) this._closeUpTo(this._clients.length);
  }

  _awaitClose(websocket) {
    this._left++;
    accessTo(websocket).onClosed(websocket, () => {
      if (--this._left === 0) this._onLastClosed();
    });
  }

  /** Resolves when the last one is closed. */
  _whenClosed() {
    return new Promise((resolve) => {
      if (this._left === 0) resolve();
      else this._onLastClosed = resolve;
    });
  }

  _spread() {
    const { spread } = this._options;
    const begin = performance.now();

    this._interval = setInterval(() => {
      const part = Math.min((performance.now() - begin) / spread, 1);

      this._closeUpTo(Math.ceil(part * this._clients.length));
      if (part === 1) clearInterval(this._interval);
    }, STEP);
  }

  _closeUpTo(end) {
    const { code, reason } = this._options;
    const due = this._clients.slice(this._next, end);

    this._next = Math.max(this._next, end);
    forEachInBatches(
      due,
      (websocket) => {
        if (websocket.readyState === OPEN) websocket.close(code, reason);
      },
      () => {}
    );
  }

  _terminate() {
    forEachInBatches(
      this._clients.filter(isNotClosed),
      (websocket) => {
        if (!isNotClosed(websocket)) return;

        this._terminated++;
        websocket.terminate();
      },
      () => {}
    );
  }
}

function isNotClosed({ readyState }) {
  return readyState !== CLOSED;
}

/**
 * Closes a server and its connections, in order: no more are let in, all are
 * asked to close, and those that do not are terminated.
 *
 * @param {any} server
 * @param {Object} [options]
 * @param {number} [options.code=1001]
 * @param {string} [options.reason]
 * @param {number} [options.timeout=30000] When the rest is terminated, in
 *     milliseconds
 * @param {number} [options.spread=0] The time over which the close frames are
 *     spread
 * @return {Promise<{closed: number, terminated: number}>}
 */
async function shutdown(server, options = {}) {
  const { code = 1001, reason = '', timeout = 30_000, spread = 0 } = options;
  const access = accessToServer(server);

  clientsOf(server);
  checkDuration('timeout', timeout);
  checkDuration('spread', spread);
  // As `close()` would say for each of them.
  closePayload(code, reason);

  let result = shutdowns.get(server);

  if (result === undefined) {
    access.refuseUpgrades(server);
    result = new Shutdown(server, { code, reason, timeout, spread }).run();
    shutdowns.set(server, result);
  }

  return result;
}

module.exports = shutdown;
