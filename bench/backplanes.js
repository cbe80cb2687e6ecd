'use strict';

/**
 * Four processes, or threads, whose clients hear each other, by each backplane and
 * what else there is: `node bench/backplanes.js`, with `--help` for options.
 */
const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { parseArgs } = require('util');

const { withChild } = require('./child');
const { usage: cpuOf } = require('./usage');

const USAGE = `node bench/backplanes.js [options]

  --adapter path    @socket.io/redis-adapter, if it is installed elsewhere
  --clients n       of each process; 500 by default
  --peers a,b       these peers
  --processes n     4 by default
  --rounds n        3 by default
  --seconds n       measured in a round; 2 by default
  --window n        messages under way; 16 by default`;

const SIZE = 128;
const WARMUP = 0.5;

const PEERS = [
  { name: 'threads', title: '`threadBackplane()`, one process' },
  { name: 'machine', title: '`machineBackplane()`', broker: 'socket' },
  { name: 'nats', title: '`natsBackplane()`', broker: 'nats-server' },
  {
    name: 'node-redis',
    title: '`redisBackplane()` by redis',
    broker: 'redis-server'
  },
  {
    name: 'ioredis',
    title: '`redisBackplane()` by ioredis',
    broker: 'redis-server'
  },
  {
    name: 'by-hand',
    title: 'ioredis, and `send()` to each client',
    broker: 'redis-server'
  },
  {
    name: 'socket.io',
    title: 'Socket.IO, its Redis adapter',
    broker: 'redis-server',
    needs: '@socket.io/redis-adapter'
  }
];

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: '@socket.io/redis-adapter' },
    clients: { type: 'string', default: '500' },
    help: { type: 'boolean', default: false },
    peers: { type: 'string' },
    processes: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    window: { type: 'string', default: '16' }
  }
});

/** The brokers: how each is started, and what its address is then. */
const brokers = {
  socket: (directory) => ({ address: path.join(directory, 'socket') }),
  'redis-server': (directory) => ({
    address: path.join(directory, 'redis'),
    args: [
      ...['--port', '0', '--unixsocket', path.join(directory, 'redis')],
      ...['--save', '', '--dir', directory]
    ],
    ready: /ready to accept connections/
  }),
  'nats-server': () => ({
    args: ['--addr', '127.0.0.1', '--port', '-1'],
    ready: /connections on (127\.0\.0\.1:\d+)[^]*Server is ready/
  })
};

/** Runs `work` with a broker, its address and its process. */
async function withBroker(name, work) {
  if (name === undefined) return work({});

  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-bench-'));
  const { args, address, ready } = brokers[name](directory);
  const child = args && spawn(name, args, { stdio: 'pipe' });

  try {
    return await work({
      address: address ?? (await firstMatch(child, ready)),
      // Redis has its address beforehand, and is ready later.
      ...(child && address && { ready: await firstMatch(child, ready) }),
      pid: child?.pid
    });
  } finally {
    if (child) {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.on('close', resolve));
    }
    fs.rmSync(directory, { recursive: true });
  }
}

/** What a process says that it is ready with. */
function firstMatch(child, pattern) {
  return new Promise((resolve, reject) => {
    let said = '';

    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        const found = pattern.exec((said += chunk));

        if (found) resolve(found[1]);
      });
    }
    child.on('error', reject);
    child.on('close', () => reject(new Error(said || 'the broker ended')));
  });
}

/** Runs `work` with servers, their ports and process ids. */
async function withServers(settings, count, work, servers = []) {
  if (servers.length === count) {
    return work(
      servers.flatMap(({ ports }) => ports),
      servers.map(({ pid }) => pid)
    );
  }

  const file = path.join(__dirname, 'servers', 'backplane.js');
  const args = [file, JSON.stringify(settings)];

  return withChild({ file: process.execPath, args }, async (child) => {
    const ports = (await child.line()).split(',').map(Number);
    const server = { ports, pid: child.pid };

    return withServers(settings, count, work, [...servers, server]);
  });
}

function measure({ name, broker }) {
  const processes = Number(values.processes);

  return withBroker(broker, ({ address, pid }) => {
    const settings = {
      kind: name,
      address,
      adapter: values.adapter,
      count: processes
    };

    return withServers(
      settings,
      name === 'threads' ? 1 : processes,
      (ports, pids) => {
        const file = path.join(__dirname, 'clients', 'audience.js');
        const audience = {
          ports,
          count: processes * Number(values.clients),
          seconds: Number(values.seconds),
          size: SIZE,
          socketIo: name === 'socket.io',
          warmup: WARMUP,
          window: Number(values.window)
        };

        return withChild(
          { file: process.execPath, args: [file, JSON.stringify(audience)] },
          async (child) => {
            const cpu = (all) =>
              all.reduce((sum, each) => sum + cpuOf(each).all, 0);
            const of = [pids, pid ? [pid] : []];

            await child.line();

            const before = of.map(cpu);
            const run = JSON.parse(await child.line());
            const [servers, own] = of.map(
              (all, index) => (cpu(all) - before[index]) / run.count
            );

            return { ...run, servers, broker: own };
          }
        );
      }
    );
  });
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

function row({ title }, runs) {
  const of = (key) => median(runs.map((run) => run[key]));

  return [
    title,
    Math.round(of('rate')),
    of('p50').toFixed(1),
    of('p99').toFixed(1),
    of('servers').toFixed(2),
    of('broker').toFixed(2)
  ];
}

/** Why a peer cannot be had, if that is so. */
function missing({ broker, needs }) {
  if (needs) {
    try {
      require.resolve(values.adapter);
    } catch {
      return (
        `${needs} is not installed: install it elsewhere with socket.io, and ` +
        'say where by --adapter'
      );
    }
  }

  const isFile = (directory) => fs.existsSync(path.join(directory, broker));
  const directories = process.env.PATH.split(path.delimiter);

  if (broker === undefined || broker === 'socket' || directories.some(isFile)) {
    return null;
  }

  return `there is no ${broker} on the PATH`;
}

async function main() {
  if (values.help) {
    console.log(USAGE);
    return;
  }

  const wanted = values.peers?.split(',') ?? PEERS.map(({ name }) => name);
  const peers = PEERS.filter(({ name }) => wanted.includes(name));
  const results = new Map();

  for (const peer of peers) {
    const reason = missing(peer);

    if (reason) console.error(`${peer.name}: ${reason}`);
    else results.set(peer, []);
  }

  // They take turns: what disturbs the machine disturbs them all.
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [peer, runs] of results) {
      runs.push(await measure(peer));
      console.error(`${peer.name}: ${Math.round(runs.at(-1).rate)}`);
    }
  }

  const lines = [
    ['', 'deliveries/s', 'p50 ms', 'p99 ms', 'CPU µs each, servers', 'broker'],
    ['---', '--:', '--:', '--:', '--:', '--:'],
    ...Array.from(results, ([peer, runs]) => row(peer, runs))
  ];

  console.log(lines.map((line) => `| ${line.join(' | ')} |`).join('\n'));
}

main().catch((err) => {
  console.error(err.message);
  process.exitCode = 1;
});
