'use strict';

// Type-checks lib/ against the types of the addon, and the programs of
// __test__/types against those of the package, in every module format.

const { spawn } = require('child_process');
const { once } = require('events');
const fs = require('fs');
const os = require('os');
const path = require('path');

const PROGRAMS = path.join('__test__', 'types');

const compiler = require.resolve('typescript/bin/tsc');
const root = path.join(__dirname, '..');
const projects = fs
  .readdirSync(path.join(root, PROGRAMS), { recursive: true })
  .filter((name) => /^tsconfig.*\.json$/.test(path.basename(name)))
  .map((name) => path.join(PROGRAMS, name))
  .concat(path.join('lib', 'tsconfig.json'));

/** Compiles one project after another, as long as there are some. */
async function work() {
  for (let project; (project = projects.shift());) {
    const child = spawn(process.execPath, [compiler, '-p', project], {
      cwd: root,
      stdio: 'inherit'
    });
    const [code] = await once(child, 'close');

    if (code === 0) continue;
    console.error(`${project} does not compile`);
    process.exitCode = 1;
  }
}

for (let count = os.availableParallelism(); count > 0; count--) work();
