'use strict';

const { accessSync, constants } = require('fs');
const path = require('path');

/** The programs, by the Debian packages that have them. */
const PROGRAMS = {
  chromium: 'chromium',
  'nats-server': 'nats-server',
  'redis-server': 'redis-server'
};

/** The path of a program, undefined if there is none. */
function find(program) {
  return process.env.PATH.split(path.delimiter)
    .map((directory) => path.join(directory, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

module.exports = () => {
  const missing = Object.keys(PROGRAMS).filter(
    (name) => find(PROGRAMS[name]) === undefined
  );

  if (missing.length > 0) {
    throw new Error(
      `These tests need ${missing.join(', ')}. On Debian: ` +
        `apt-get install ${missing.join(' ')}`
    );
  }
};
module.exports.find = find;
