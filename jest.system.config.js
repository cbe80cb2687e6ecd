'use strict';

// The tests that need programs of the system: `npm run test:system`.

const config = require('./jest.config');

module.exports = {
  ...config,
  testMatch: ['**/__test__/system/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: './__test__/system/support/requirements.js'
};
