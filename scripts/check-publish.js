'use strict';

// Refuses to publish the package with an addon inside it, or without the
// packages of the platforms as its optional dependencies.

const fs = require('fs');
const path = require('path');

const { napi, optionalDependencies = {} } = require('../package.json');

const addons = fs
  .readdirSync(path.join(__dirname, '..'))
  .filter((name) => name.endsWith('.node'));
const platforms = Object.keys(optionalDependencies);

if (addons.length > 0) {
  console.error(
    `${addons.join(', ')}: publish from a clean checkout, with --ignore-scripts`
  );
  process.exitCode = 1;
}
if (platforms.length !== napi.targets.length) {
  console.error(
    `${platforms.length} of ${napi.targets.length} platforms are optional ` +
      'dependencies: run "npx napi pre-publish" first'
  );
  process.exitCode = 1;
}
