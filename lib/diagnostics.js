'use strict';

// What diagnostics_channel tells of WebSockets and servers, for who subscribes:
// nothing is made for those that nobody has subscribed to.

const { channel, tracingChannel } = require('diagnostics_channel');

const channels = {
  created: channel('oxws:websocket:created'),
  open: channel('oxws:websocket:open'),
  message: channel('oxws:websocket:message'),
  sent: channel('oxws:websocket:sent'),
  ping: channel('oxws:websocket:ping'),
  pong: channel('oxws:websocket:pong'),
  error: channel('oxws:websocket:error'),
  close: channel('oxws:websocket:close'),
  connection: channel('oxws:server:connection'),
  refused: channel('oxws:server:refused')
};

/** Around the listeners of 'message'. */
const tracing = tracingChannel('oxws:message');

/** Before Node.js 22 a tracing channel does not say so itself. */
function isTraced() {
  const { end, error, start } = tracing;

  return start.hasSubscribers || end.hasSubscribers || error.hasSubscribers;
}

module.exports = { channels, isTraced, tracing };
