'use strict';

// Whether the peer of a WebSocket gives signs of life. The engine knows what
// came over its own sockets and keeps what it saw; of a stream it is kept here.

const { kClosing, kConnection } = require('../constants');
const { ALIVE, DEAD, SILENT } = require('./verdicts');

/** @typedef {import('../websocket')} WebSocket */

/** By connection. @type {WeakMap<Object, StreamLiveness>} */
const streams = new WeakMap();

/** What was known of a stream at the last look, as `src/engine` has it. */
class StreamLiveness {
  constructor() {
    this.received = -1;
    this.written = 0;
    this.aliveAt = 0;
    this.pingedAt = NaN;
  }

  check(stream, now, silence, timeout) {
    const {
      bytesReceived: received,
      bytesTaken: written,
      queuedBytes
    } = stream;
    const progresses = queuedBytes > 0 && written !== this.written;

    this.written = written;

    if (received !== this.received || progresses) {
      this.received = received;
      this.aliveAt = now;
      this.pingedAt = NaN;

      return ALIVE;
    }

    if (now - this.pingedAt >= timeout) return DEAD;
    if (!Number.isNaN(this.pingedAt) || now - this.aliveAt < silence) {
      return ALIVE;
    }

    this.pingedAt = now;

    return SILENT;
  }
}

/**
 * Looks for signs of life: bytes that came, and progress of what is queued for
 * a slow reader.
 *
 * @param {WebSocket} websocket One that is open, or closing
 * @param {number} now In milliseconds, as the other two
 * @param {number} silence From when on it is to be pinged
 * @param {number} timeout From when on, after that, it is given up
 * @return {number} One of `verdicts.js`
 */
function checkAlive(websocket, now, silence, timeout) {
  const connection = websocket[kConnection];

  // What is left of it is limited in time already.
  if (websocket[kClosing].timer !== null || connection.destroyed) return ALIVE;

  if (connection.checkAlive)
    return connection.checkAlive(now, silence, timeout);

  let liveness = streams.get(connection);

  if (liveness === undefined) {
    liveness = new StreamLiveness();
    streams.set(connection, liveness);
  }

  return liveness.check(connection, now, silence, timeout);
}

module.exports = { checkAlive };
