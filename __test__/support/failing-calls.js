'use strict';

const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const source = path.join(__dirname, 'failing-calls.c');

/**
 * Compiles the C functions that can fail. The environment that is returned
 * loads them into a child, whose `process.env.FAILING_CALL` then says which one
 * does: `${name} ${errno}`. Linux only.
 */
function failingCalls() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
  const library = path.join(directory, 'failing-calls.so');

  afterAll(() => fs.rmSync(directory, { recursive: true }));
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  return { LD_PRELOAD: library };
}

module.exports = { failingCalls };
