'use strict';

const { accessTo } = require('./access');
const { checkBytes } = require('./options');

/**
 * Resolves once no more than `threshold` bytes wait to be written.
 *
 * @param {any} websocket
 * @param {Object} [options]
 * @param {number} [options.threshold=0]
 * @param {AbortSignal} [options.signal]
 * @return {Promise<void>}
 */
async function waitForDrain(websocket, options = {}) {
  const access = accessTo(websocket);
  const { threshold = 0, signal } = options;

  checkBytes('threshold', threshold);

  return access.waitForDrain(websocket, threshold, signal);
}

/**
 * Sends a message, and resolves when the next one may be sent.
 *
 * @param {any} websocket
 * @param {any} data
 * @param {Object} [options] Those of `websocket.send()`, and:
 * @param {number} [options.highWaterMark=65536] Bytes that may wait
 * @param {AbortSignal} [options.signal]
 * @return {Promise<void>}
 */
function sendAsync(websocket, data, options) {
  // An async function would take longer for each message.
  try {
    const access = accessTo(websocket);

    if (options === undefined) {
      return access.send(websocket, data, undefined, HIGH_WATER_MARK);
    }

    const { highWaterMark = HIGH_WATER_MARK, signal, ...rest } = options;

    checkBytes('highWaterMark', highWaterMark);

    return access.send(websocket, data, rest, highWaterMark, signal);
  } catch (err) {
    return Promise.reject(err);
  }
}

const HIGH_WATER_MARK = 64 * 1024;

module.exports = { sendAsync, waitForDrain };
