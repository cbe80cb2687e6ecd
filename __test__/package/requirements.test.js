'use strict';

const { onRelease } = require('../support/resources');
const check = require('../system/support/requirements');

test('the system tests name the packages that they miss', () => {
  const { PATH } = process.env;

  onRelease(() => (process.env.PATH = PATH));
  process.env.PATH = __dirname;
  expect(() => check()).toThrow(
    'These tests need chromium, nats-server, redis-server. On Debian: ' +
      'apt-get install chromium nats-server redis-server'
  );
});
