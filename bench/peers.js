'use strict';

const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

/**
 * @typedef {import('./scenarios').Scenario} Scenario
 * @typedef {Object} Command
 * @property {string} file
 * @property {string[]} args
 * @property {Object<string, string>} [env]
 *
 * @typedef {Object} Peer
 * @property {string} name
 * @property {boolean} isQuick Part of the default run
 * @property {string} [version] Of a peer the user points to
 * @property {function(Scenario): boolean} supports
 * @property {function(Object): Command} server Starts a server
 * @property {function(Object): Command} [client] Starts a client
 */

/** Without its optional addons, unless they are asked for. */
const PLAIN = { WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' };

const script = (...names) => path.join(__dirname, ...names);

/**
 * A package with the API of ws, on Node.js.
 *
 * @returns {Peer}
 */
function library(name, node, module, env = {}, isQuick = false, extra = '') {
  const command = (file) => (settings) => ({
    file: node,
    args: ['--expose-gc', file, JSON.stringify({ ...settings, module, extra })],
    env
  });

  return {
    name,
    isQuick,
    supports: () => true,
    server: command(script('servers', 'node.js')),
    client: command(script('clients', 'node.js'))
  };
}

/**
 * A server with an API of its own.
 *
 * @returns {Peer}
 */
function foreign(name, file, server, extra = {}) {
  return {
    name,
    isQuick: true,
    supports: ({ kind, http }) => kind !== 'client' && !http,
    server: (settings) => ({
      file,
      args: [server, JSON.stringify({ ...settings, ...extra })]
    })
  };
}

/** The peer the user points to with `--peer name=path`. */
function pointedTo(text, node) {
  const { name, target } = pathOf(text);

  return { ...peerAt(name, target, node), version: versionOf(name, target) };
}

/** What `name=path` says; there is such a file. */
function pathOf(text) {
  const at = text.indexOf('=');
  const name = text.slice(0, at);
  const target = path.resolve(text.slice(at + 1));

  if (at < 1) throw new TypeError('--peer must be name=path');
  if (!fs.existsSync(target)) throw new Error(`There is no ${target}`);
  return { name, target };
}

function peerAt(name, target, node) {
  if (name === 'bun') return foreign(name, target, script('servers', 'bun.js'));

  if (name === 'uws') {
    return foreign(name, node, script('servers', 'uws.js'), { module: target });
  }

  return library(name, node, target, PLAIN, true);
}

/** Of a program, or of a package. */
function versionOf(name, target) {
  if (name === 'bun') {
    return execFileSync(target, ['--version'], { encoding: 'utf8' }).trim();
  }

  const file = path.join(target, 'package.json');

  return fs.existsSync(file)
    ? JSON.parse(fs.readFileSync(file, 'utf8')).version
    : undefined;
}

/** The least any server needs. */
function floor(load) {
  const kinds = ['echo', 'connect'];

  return {
    name: 'floor',
    isQuick: true,
    supports: ({ kind, busy, deflate, http, tls }) =>
      kinds.includes(kind) && !busy && !deflate && !http && !tls,
    server: () => ({ file: load, args: ['serve'] })
  };
}

function hasNativeAddons() {
  try {
    require.resolve('bufferutil');
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {Object} options The options of the benchmark
 * @param {string} load The load generator
 * @returns {Peer[]} All peers that can be had, ws first
 */
function all({ node, peer }, load) {
  const ws = require.resolve('ws');
  const oxws = script('..');
  const extra = script('..', 'lib', 'extra');
  const own = (name, env, isQuick) =>
    library(name, node, oxws, env, isQuick, extra);

  return [
    library('ws', node, ws, PLAIN, true),
    // How far two equals are apart shows the noise.
    library('ws-again', node, ws, PLAIN, true),
    ...(hasNativeAddons() ? [library('ws+native', node, ws)] : []),
    own('oxws', {}, true),
    own('oxws-inline', { OXWS_DRIVER: 'inline' }),
    own('oxws-thread', { OXWS_DRIVER: 'thread' }),
    own('oxws-stream', { OXWS_ADOPT: '0' }),
    // What oxws/extra is compared with.
    {
      ...library('oxws-loop', node, oxws, {}, true),
      supports: ({ via }) => via !== undefined
    },
    ...peer.map((text) => pointedTo(text, node)),
    floor(load)
  ];
}

module.exports = { PLAIN, all, pathOf, versionOf };
