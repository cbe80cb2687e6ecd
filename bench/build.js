'use strict';

const { execFileSync } = require('child_process');
const path = require('path');

/**
 * Builds the load generator unless that was done.
 *
 * @returns {string} The path of the program
 */
function build() {
  const directory = path.join(__dirname, 'load');

  execFileSync('cargo', ['build', '--release', '--quiet', '--locked'], {
    cwd: directory,
    stdio: 'inherit'
  });

  return path.join(directory, '..', '..', 'target', 'load', 'release', 'load');
}

module.exports = { build };
