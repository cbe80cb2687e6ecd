'use strict';

const { broadcast } = require('./broadcast');
const keepAlive = require('./keep-alive');
const messages = require('./messages');
const { PreparedMessage } = require('./prepared-message');
const { sendAsync, waitForDrain } = require('./flow');
const shutdown = require('./shutdown');
const Topics = require('./topics');

module.exports = {
  PreparedMessage,
  Topics,
  broadcast,
  keepAlive,
  messages,
  sendAsync,
  shutdown,
  waitForDrain
};
