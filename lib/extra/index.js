'use strict';

const { broadcast } = require('./broadcast');
const { connectHttp2, handleConnect, serveHttp2 } = require('./http2');
const keepAlive = require('./keep-alive');
const messages = require('./messages');
const { PreparedMessage } = require('./prepared-message');
const { sendAsync, waitForDrain } = require('./flow');
const shutdown = require('./shutdown');
const stats = require('./stats');
const Topics = require('./topics');

module.exports = {
  PreparedMessage,
  Topics,
  broadcast,
  connectHttp2,
  handleConnect,
  keepAlive,
  messages,
  sendAsync,
  serveHttp2,
  shutdown,
  stats,
  waitForDrain
};
