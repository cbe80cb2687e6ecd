'use strict';

const keepAlive = require('./keep-alive');
const messages = require('./messages');
const { sendAsync, waitForDrain } = require('./flow');
const shutdown = require('./shutdown');

module.exports = {
  keepAlive,
  messages,
  sendAsync,
  shutdown,
  waitForDrain
};
