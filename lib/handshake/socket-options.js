'use strict';

/**
 * What ws gives the `setSocket()` of a class that extends WebSocket, of all
 * options of a server or a client.
 *
 * @param {Object} options
 * @param {boolean} isServer
 * @return {Object}
 */
function socketOptionsOf(options, isServer) {
  return {
    allowSynchronousEvents: options.allowSynchronousEvents,
    ...(isServer ? null : { generateMask: options.generateMask }),
    maxBufferedChunks: options.maxBufferedChunks,
    maxFragments: options.maxFragments,
    maxPayload: options.maxPayload,
    skipUTF8Validation: options.skipUTF8Validation
  };
}

module.exports = socketOptionsOf;
