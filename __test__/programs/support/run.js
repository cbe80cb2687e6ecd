'use strict';

const path = require('path');

const { runNode } = require('../../support/child');

const hook = path.join(__dirname, 'redirect.js');

/**
 * Runs a program of this folder with that library in place of 'ws', expects
 * that it ends by itself, and resolves the lines it printed.
 *
 * @param {{ library: string, env: object }} driver a row of `wsAndDrivers`
 */
async function run({ library, env }, file, args = []) {
  const { code, signal, stdout, stderr } = await runNode(
    ['--require', hook, path.join(__dirname, '..', file), ...args],
    { ...env, WS_PACKAGE: library }
  );
  const lines = stdout.split('\n').slice(0, -1);

  expect({ code, signal, stderr }).toEqual({
    code: 0,
    signal: null,
    stderr: ''
  });
  expect(lines.pop()).toBe(library);
  return lines;
}

module.exports = { run };
