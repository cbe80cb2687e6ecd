'use strict';

// Type-checks lib/ against the types of the addon, and the programs of
// __test__/types against those of the package, in every module format.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const PROGRAMS = path.join('__test__', 'types');

const compiler = require.resolve('typescript/bin/tsc');
const root = path.join(__dirname, '..');
const projects = fs
  .readdirSync(path.join(root, PROGRAMS), { recursive: true })
  .filter((name) => /^tsconfig.*\.json$/.test(path.basename(name)))
  .map((name) => path.join(PROGRAMS, name));

for (const project of ['tsconfig.json', ...projects]) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], {
    cwd: root,
    stdio: 'inherit'
  });

  if (status === 0) continue;
  console.error(`${project} does not compile`);
  process.exitCode = 1;
}
