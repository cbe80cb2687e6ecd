'use strict';

const { kOnClosed } = require('../constants');

/**
 * Calls back once a WebSocket is closed, before 'close': a listener of the
 * program's may throw, or remove those of others.
 *
 * @param {import('../websocket')} websocket One that is not closed
 * @param {function(number, Buffer): void} callback Gets code and reason
 * @return {function(): void} Has it not called
 */
function onClosed(websocket, callback) {
  const callbacks = (websocket[kOnClosed] ??= new Set());

  callbacks.add(callback);

  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) websocket[kOnClosed] = null;
  };
}

module.exports = { onClosed };
