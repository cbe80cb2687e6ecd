'use strict';

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/__test__/**/*.test.js'],
  // These have a configuration of their own.
  testPathIgnorePatterns: ['/node_modules/', '/__test__/system/'],
  transform: {},
  maxWorkers: 2,
  testTimeout: 60000,
  modulePathIgnorePatterns: ['<rootDir>/target/', '<rootDir>/npm/']
};
