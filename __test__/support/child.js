'use strict';

const { spawn } = require('child_process');
const path = require('path');

const { onRelease } = require('./resources');

const root = path.join(__dirname, '..', '..');

/** What a child process requires to get an implementation. */
const paths = { ws: require.resolve('ws'), oxws: root };

/**
 * Runs a function in a Node process of its own: its source text is what runs,
 * so it sees nothing of the test but its arguments.
 *
 * @param {string} name of the implementation, the first argument of `main`
 * @param {Function} main `(WebSocket, ...args)`
 * @param {{ args?: any[], env?: object, flags?: string[] }} [options] `args`
 *     travel as JSON
 * @returns {Promise<{ code, signal, stdout, stderr }>}
 */
function runInChild(name, main, options = {}) {
  const { args = [], env = {}, flags = [] } = options;
  const call = [`require(${JSON.stringify(paths[name])})`]
    .concat(args.map((value) => JSON.stringify(value)))
    .join(', ');

  return runNode([...flags, '-e', `(${main})(${call})`], env);
}

/** Runs `node` with these arguments in the root; it ends with the test. */
function runNode(parameters, env = {}) {
  const child = spawn(process.execPath, parameters, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const output = { stdout: '', stderr: '' };

  onRelease(() => child.kill('SIGKILL'));

  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8');
    child[stream].on('data', (text) => (output[stream] += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

module.exports = { paths, root, runInChild, runNode };
