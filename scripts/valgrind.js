'use strict';

// Runs the soak's traffic on the addon as it is, under valgrind, which sees what
// AddressSanitizer cannot: the use of memory that nobody has written.
// npm run test:valgrind [-- SECONDS]

const { spawnSync } = require('child_process');
const path = require('path');

const MAIN = path.join(__dirname, '..', '__test__', 'soak', 'main.js');
const FLAGS = [
  '--quiet',
  '--error-exitcode=9',
  '--leak-check=no',
  '--num-callers=16',
  // Of the code that V8 makes, only the interpreter's is left with --jitless.
  '--smc-check=all-non-file',
  `--suppressions=${path.join(__dirname, 'valgrind.supp')}`
];

const [seconds = '20'] = process.argv.slice(2);

for (const driver of ['inline', 'thread', 'alternate']) {
  console.log(`=== ${driver}`);

  const { status, error } = spawnSync(
    'valgrind',
    [...FLAGS, process.execPath, '--jitless', '--expose-gc', MAIN, seconds],
    { stdio: 'inherit', env: { ...process.env, OXWS_DRIVER: driver } }
  );

  if (error) console.error(error.message);
  if (status !== 0) process.exitCode = 1;
}
