'use strict';

const { withChild } = require('./child');
const { files } = require('./servers/tls');
const { resident } = require('./usage');

/** Seconds until caches, compilers and windows have settled. */
const WARMUP = 0.5;

/**
 * @typedef {import('./peers').Peer} Peer
 * @typedef {import('./scenarios').Scenario} Scenario
 *
 * @typedef {Object} Run What came out of a run; of a `memory` scenario only the
 *     last two
 * @property {number} rate A second
 * @property {number} p50 Microseconds, as the next four
 * @property {number} p99
 * @property {number} p999
 * @property {number} cpu Of the process, for each thing counted
 * @property {number} main Of its first thread
 * @property {number} rss Bytes
 * @property {number} load How busy the other side was, 1 is all the time
 * @property {number} [sent] Bytes of frames the server was sent for each echo
 * @property {number} [received] The same the other way
 * @property {number} untouched Bytes of a connection
 * @property {number} touched The same after one message
 */

/**
 * Runs a scenario once.
 *
 * @param {Scenario} scenario
 * @param {Peer} peer
 * @param {{ connections: number, seconds: number }} options
 * @param {string} load The load generator
 * @returns {Promise<Run>}
 */
function measure(scenario, peer, options, load) {
  if (scenario.kind === 'client') {
    return measureClient(scenario, peer, options, load);
  }

  const { kind, busy, http, tls, deflate, via } = scenario;
  const command = peer.server({
    busy,
    http,
    tls,
    deflate,
    via,
    isBroadcasting: kind === 'broadcast'
  });
  const run = kind === 'memory' ? measureMemory : measureServer;

  return withChild(command, (server) => run(scenario, server, options, load));
}

async function measureServer(scenario, server, { seconds }, load) {
  const { kind, connections, window, size, content, deflate, tls } = scenario;
  const command = generator(load, kind, {
    connections,
    window,
    size,
    content,
    deflate,
    tls,
    port: await server.line(),
    seconds,
    warmup: WARMUP,
    watch: server.pid
  });

  return withChild(command, async (child) => toRun(await child.line()));
}

/** @returns {import('./peers').Command} */
function generator(file, mode, settings) {
  const set = Object.entries(settings).filter(([, value]) => value);

  return { file, args: [mode, ...set.map((entry) => entry.join('='))] };
}

function measureClient(scenario, peer, { seconds }, load) {
  const { connections, window, size, tls } = scenario;
  const echo = generator(load, 'serve', tls ? files : {});

  return withChild(echo, async (server) => {
    const command = peer.client({
      connections,
      window,
      size,
      tls,
      seconds,
      warmup: WARMUP,
      port: Number(await server.line()),
      watch: server.pid
    });

    return withChild(command, async (client) => toRun(await client.line()));
  });
}

/**
 * What one more connection costs: some are there already, so that nothing that
 * is made once is counted.
 */
async function measureMemory(scenario, server, options, load) {
  const { size, content, deflate, tls } = scenario;
  const connections = scenario.connections ?? options.connections;
  const first = Math.ceil(connections / 10);
  const command = generator(load, 'idle', {
    port: await server.line(),
    size,
    content,
    deflate,
    tls
  });
  const memory = async () => {
    await server.ask('gc');
    return resident(server.pid);
  };

  return withChild(command, async (child) => {
    await child.ask(`open ${first}`);

    const before = await memory();

    await child.ask(`open ${connections}`);

    const open = await memory();

    await child.ask('touch');

    const touched = await memory();

    const untouched = (open - before) / connections;

    return {
      untouched,
      touched: untouched + (touched - open) / (first + connections)
    };
  });
}

/** @returns {Run} */
function toRun(line) {
  const { count, seconds, cpu, main, sent, received, ...rest } =
    JSON.parse(line);

  if (count === 0) throw new Error('nothing was counted');

  return {
    rate: count / seconds,
    cpu: cpu / count,
    main: main / count,
    ...rest,
    ...(sent > 0 && { sent: sent / count, received: received / count })
  };
}

module.exports = { measure };
