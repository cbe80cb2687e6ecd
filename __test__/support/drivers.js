'use strict';

const { runInChild } = require('./child');

/** A row for tests in child processes, which are told what drives. */
function row(name, library, env) {
  return { name, library, env, driverless: true };
}

/** oxws on each of its drivers. */
const ownDrivers = ['inline', 'thread'].map((driver) =>
  row(`oxws, ${driver}`, 'oxws', { OXWS_DRIVER: driver })
);

/** `ws`, and oxws on each of its drivers. */
const wsAndDrivers = [row('ws', 'ws', {}), ...ownDrivers];

/**
 * oxws as it comes: inline, but for what brings it more than a few connections or
 * compressed messages.
 */
const anyDriver = row('oxws, any driver', 'oxws', { OXWS_DRIVER: undefined });

/** oxws where Node.js carries what it has upgraded, as on Windows. */
const notAdopted = row('oxws, not adopted', 'oxws', {
  OXWS_DRIVER: undefined,
  OXWS_ADOPT: '0'
});

/** oxws where nothing but N-API is to be had, as in Bun and Deno. */
const withoutUv = row('oxws, without libuv', 'oxws', {
  OXWS_DRIVER: undefined,
  OXWS_UV: '0',
  OXWS_ADOPT: '0'
});

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

module.exports = {
  anyDriver,
  linesOf,
  notAdopted,
  ownDrivers,
  withoutUv,
  wsAndDrivers
};
