'use strict';

const path = require('path');

const { PLAIN, pathOf, versionOf } = require('../peers');

/**
 * @typedef {import('../peers').Command} Command
 *
 * @typedef {Object} Peer
 * @property {string} name
 * @property {string} [version] Of a peer the user points to
 * @property {boolean} hasOnePort Whether all processes listen on one port
 * @property {boolean} pingsItself Whether it pings from the beginning
 * @property {function(number, number): Command[]} servers Starts that many
 *     processes which ping after so many seconds
 */

const script = (name) => path.join(__dirname, 'servers', name);

/** A package with the API of ws, in a cluster with one port. */
function clustered(name, node, settings, env = {}) {
  return {
    name,
    hasOnePort: true,
    pingsItself: false,
    servers: (processes) => [
      command(node, 'node.js', { ...settings, cluster: true, processes }, env)
    ]
  };
}

/** Processes with a port each. */
function separate(name, file, program, settings = {}, pingsItself = true) {
  return {
    name,
    hasOnePort: false,
    pingsItself,
    servers: (processes, interval) =>
      Array(processes).fill(command(file, program, { ...settings, interval }))
  };
}

function command(file, program, settings, env) {
  const flags = program === 'bun.js' ? [] : ['--expose-gc'];

  return { file, args: [...flags, script(program), json(settings)], env };
}

const json = (value) => JSON.stringify(value);

/** The peer the user points to with `--peer name=path`. */
function pointedTo(text, node) {
  const { name, target } = pathOf(text);
  const peers = {
    bun: () => separate(name, target, 'bun.js'),
    uws: () => separate(name, node, 'uws.js', { module: target })
  };

  if (!Object.hasOwn(peers, name)) {
    throw new TypeError('--peer must be bun=path or uws=path');
  }

  return { ...peers[name](), version: versionOf(name, target) };
}

/**
 * @param {{ node: string, peer: string[] }} options
 * @returns {Peer[]} All peers that can be had
 */
function all({ node, peer }) {
  const module = path.join(__dirname, '..', '..');
  const oxws = { module, extra: path.join(module, 'lib', 'extra') };

  return [
    clustered('ws', node, { module: require.resolve('ws') }, PLAIN),
    separate('oxws', node, 'node.js', oxws, false),
    separate('oxws-http', node, 'node.js', { ...oxws, http: true }, false),
    clustered('oxws-cluster', node, oxws),
    clustered('oxws-http-cluster', node, { ...oxws, http: true }),
    ...peer.map((text) => pointedTo(text, node))
  ];
}

module.exports = { all };
