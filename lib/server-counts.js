'use strict';

const { kConnection } = require('./constants');

/** @typedef {import('./websocket')} WebSocket */

/** What a server has done so far, for `stats()` of `oxws/extra`. */
class ServerCounts {
  constructor() {
    /** Upgrades that were accepted. */
    this.accepted = 0;
    /** Those that were refused, by status code. @type {Map<number, number>} */
    this.refused = new Map();
    /** Clients that have gone, by close code. @type {Map<number, number>} */
    this.closed = new Map();
    /** What went to those, and came from them. */
    this.messagesReceived = 0;
    this.messagesSent = 0;
    this.bytesReceived = 0;
    this.bytesSent = 0;
  }

  /** @param {number} status */
  countRefused(status) {
    increment(this.refused, status);
  }

  /**
   * @param {any} websocket A WebSocket that is closed
   * @param {number} code Its close code
   */
  countClosed({ [kConnection]: connection }, code) {
    increment(this.closed, code);

    // A program's own `setSocket()` may not have made one.
    if (!connection) return;

    this.messagesReceived += connection.messagesReceived;
    this.messagesSent += connection.messagesSent;
    this.bytesReceived += connection.bytesReceived;
    this.bytesSent += connection.bytesSent;
  }
}

function increment(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

module.exports = ServerCounts;
