'use strict';

// The tests that need programs of the system: `npm run test:system`.

const path = require('path');

const { jest } = require('../../package.json');

module.exports = {
  ...jest,
  rootDir: path.join(__dirname, '../..'),
  testMatch: ['**/__test__/system/**/*.test.js'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: './__test__/system/support/requirements.js'
};
