'use strict';

const { implementations } = require('./implementations');
const { runInChild } = require('./child');

/**
 * `ws`, and oxws on each of its drivers and on the choice of its own, for tests
 * in child processes.
 */
const drivers = implementations.flatMap(({ name }) =>
  name === 'ws'
    ? [{ name, library: name, env: {} }]
    : ['inline', 'thread', undefined].map((driver) => ({
        name: `${name}, ${driver || 'any driver'}`,
        library: name,
        env: { OXWS_DRIVER: driver }
      }))
);

/** The rows of `drivers` that are oxws. */
const ownDrivers = drivers.filter(({ library }) => library === 'oxws');

/** oxws where nothing but N-API is to be had, as in Bun and Deno. */
const withoutUv = {
  name: 'oxws, without libuv',
  library: 'oxws',
  env: { OXWS_DRIVER: undefined, OXWS_UV: '0', OXWS_ADOPT: '0' }
};

/**
 * Runs `main` in a child process, expects that it ends by itself with this
 * code and nothing on stderr, and resolves the lines it printed.
 */
async function linesOf({ library, env }, main, options = {}) {
  const { exitCode = 0, ...rest } = options;
  const { code, signal, stdout, stderr } = await runInChild(library, main, {
    ...rest,
    env
  });

  expect({ code, signal, stderr }).toEqual({
    code: exitCode,
    signal: null,
    stderr: ''
  });
  return stdout.split('\n').slice(0, -1);
}

module.exports = { drivers, linesOf, ownDrivers, withoutUv };
