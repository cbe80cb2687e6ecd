'use strict';

// What functions of `oxws/extra` may do with a WebSocket of this copy: see
// `access.js`. Functions of other versions call these too.

const { kClosing } = require('../constants');
const { onClosed } = require('./closed');
const { send, waitForDrain, onBufferedAmountLow } = require('./drain');
const { Audience, sendPrepared } = require('./fan-out');
const { checkAlive } = require('./liveness');
const { driver, measure } = require('./measures');
const TopicMembers = require('./topic-members');

module.exports = {
  of: 'WebSocket',
  checkAlive,
  createAudience: (message) => new Audience(message),
  createTopicMembers: (onEdge) => new TopicMembers(onEdge),
  driver,
  measure,
  onBufferedAmountLow,
  onClosed,
  send,
  sendPrepared,
  waitForDrain,

  /** Why it is closed. */
  closingOf: ({ [kClosing]: { code, reason } }) => ({
    code,
    reason
  })
};
