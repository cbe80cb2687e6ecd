'use strict';

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/__test__/**/*.test.js'],
  transform: {},
  maxWorkers: 2,
  testTimeout: 20000,
  modulePathIgnorePatterns: ['<rootDir>/target/', '<rootDir>/npm/']
};
