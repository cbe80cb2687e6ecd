'use strict';

const { withFleet } = require('./fleet');
const { availableShare, descriptors, takeMemory } = require('./memory');

/** Descriptors that a process has for other things, and unequal shares. */
const SPARE = 1000;

/** The first connections of a process, with which it makes what is made once. */
const FIRST = 100;

/** So much of the memory stays free. */
const RESERVE = 0.1;

/** As many connections as a process gets between two looks at the memory. */
const STEP = 1000;

/** Processes of `--connections max`, for which there is no number. */
const MOST = 64;

const sum = (items, key) => items.reduce((all, item) => all + item[key], 0);
const most = (items, key) => Math.max(...items.map((item) => item[key]));
const wait = (seconds) =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/**
 * Opens connections to a peer, has them idle, be pinged and broadcast to.
 *
 * @param {import('./peers').Peer} peer
 * @param {Object} options Those of the command line
 * @param {string} load The generator
 * @returns {Promise<Object>} See `report.js`
 */
async function measure(peer, options, load) {
  const { connections } = options;
  const room = descriptors() - SPARE;
  const processes = Math.min(Math.ceil(connections / room), MOST);
  const wanted = Math.min(connections, processes * room);

  return withFleet(peer, processes, options, load, async (fleet) => {
    const first = Math.min(FIRST * processes, Math.ceil(wanted / 10));

    await fleet.open(first);

    const before = await memoryOf(fleet);
    const opening = await open(fleet, wanted - first, processes);
    const after = await memoryOf(fleet);
    const opened = opening.connections;

    // V8 gives memory back when nothing has happened for a while.
    await wait(options.rest);

    const rested = takeMemory(fleet.pids);

    return {
      peer: peer.name,
      processes,
      connections: first + opened,
      opening,
      memory: perConnection(before, after, opened),
      rested: perConnection(before, rested, opened),
      idle: peer.pingsItself ? null : await idle(fleet, options.seconds),
      pinged: await ping(fleet, options),
      broadcast: await broadcast(fleet, options.seconds)
    };
  });
}

async function memoryOf(fleet) {
  await fleet.tell('gc');

  return takeMemory(fleet.pids);
}

/** Opens in steps, until all are open or something is in the way. */
async function open(fleet, wanted, processes) {
  const begin = performance.now();
  const cpu = fleet.cpu;
  const result = { connections: 0, limit: '', p50: 0, p99: 0 };

  while (result.connections < wanted && result.limit === '') {
    const missing = wanted - result.connections;
    const answers = await fleet.open(Math.min(missing, STEP * processes));

    result.connections += sum(answers, 'opened');
    result.p50 = most(answers, 'p50');
    result.p99 = most(answers, 'p99');
    result.limit = answers.find(({ error }) => error)?.error ?? '';
    if (availableShare() < RESERVE) result.limit ||= 'memory';
  }

  return {
    ...result,
    seconds: (performance.now() - begin) / 1000,
    // Microseconds for each.
    cpu: (fleet.cpu - cpu) / result.connections
  };
}

/** What each connection has added. */
function perConnection(before, after, count) {
  const of = (from, to) =>
    Object.fromEntries(
      Object.entries(to)
        .filter(([, value]) => typeof value === 'number')
        .map(([key, value]) => [key, (value - (from[key] ?? 0)) / count])
    );

  return { ...of(before, after), slabs: of(before.slabs, after.slabs) };
}

/** CPU time in a time in which nothing happens. */
function idle(fleet, seconds) {
  return over(fleet, seconds, () => {});
}

/**
 * From the middle of an interval on, so that each has its pings in it: not of the
 * first one, in which `keepAlive()` only sees that nothing comes.
 */
async function ping(fleet, { interval, intervals }) {
  await fleet.tell(`keepAlive ${interval * 1000}`);
  await wait(interval * 1.5);

  return over(fleet, interval * intervals, () => {});
}

async function broadcast(fleet, seconds) {
  const result = await over(fleet, seconds, () => fleet.tell('broadcast 1000'));

  await fleet.tell('broadcast 0');

  return result;
}

/** What happens while time passes; CPU time is a share of one core. */
async function over(fleet, seconds, start) {
  await fleet.count();

  const cpu = fleet.cpu;
  const begin = performance.now();

  await start();
  await wait(seconds);

  const passed = (performance.now() - begin) / 1000;
  const used = (fleet.cpu - cpu) / 1e6 / passed;
  const answers = await fleet.count();

  return {
    seconds: passed,
    cpu: used,
    pings: sum(answers, 'pings') / passed,
    messages: sum(answers, 'messages') / passed,
    closed: sum(answers, 'closed'),
    p50: most(answers, 'p50'),
    p99: most(answers, 'p99'),
    last: most(answers, 'last')
  };
}

module.exports = { measure };
