'use strict';

/**
 * uWebSockets, which Bun has as well, pings who is silent for its idle timeout
 * less a margin: 16 seconds of long timeouts, less of short ones.
 *
 * @param {number} interval Seconds of silence before a ping
 * @returns {number} The timeout with which it pings then
 */
function idleTimeoutFor(interval) {
  for (const margin of [16, 8]) {
    if (interval >= margin) return interval + margin;
  }

  throw new RangeError('The shortest interval is 8 seconds');
}

module.exports = { idleTimeoutFor };
