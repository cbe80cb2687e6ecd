'use strict';

// What is to be seen of a WebSocket from outside, for `stats()`.

const { bridge } = require('../native/bridge');
const { queuedBytes } = require('./drain');
const { kConnection } = require('../constants');

/** @typedef {import('../websocket')} WebSocket */

/**
 * @param {WebSocket} websocket
 * @return {?Object} None: it has no connection
 */
function measure(websocket) {
  const connection = websocket[kConnection];

  if (connection === null) return null;

  const { destroyed: isDestroyed } = connection;

  return {
    isDestroyed,
    route: connection.route,
    // First, as this completes the fan-outs on their way to it: the rest counts them.
    bytesBuffered: isDestroyed ? 0 : queuedBytes(websocket),
    bytesReceived: connection.bytesReceived,
    bytesSent: connection.bytesSent,
    messagesReceived: connection.messagesReceived,
    messagesSent: connection.messagesSent,
    isPaused: websocket.isPaused,
    isCompressed: websocket._extensions['permessage-deflate'] !== undefined
  };
}

/** Who polls the engine at the moment. */
function driver() {
  return bridge.isInline() === 1 ? 'inline' : 'thread';
}

module.exports = { driver, measure };
