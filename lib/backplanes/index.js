'use strict';

const machineBackplane = require('./machine');
const natsBackplane = require('./nats');
const redisBackplane = require('./redis');
const threadBackplane = require('./threads');

module.exports = {
  machineBackplane,
  natsBackplane,
  redisBackplane,
  threadBackplane
};
