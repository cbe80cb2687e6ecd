'use strict';

/** `npm run bench:scale`: many connections that do little, see README.md. */
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { build } = require('./build');
const { measure } = require('./scale/measure');
const { descriptors } = require('./scale/memory');
const { parse, usage } = require('./scale/options');
const peerList = require('./scale/peers');
const { report, tables } = require('./scale/report');

main(process.argv.slice(2)).catch((err) => {
  console.error(err.message);
  process.exitCode = 1;
});

async function main(args) {
  const options = parse(args);

  if (options.help) {
    console.log(usage);
    return;
  }

  const peers = peerList.all(options);

  if (options.list) {
    console.log(`peers: ${names(peers)}`);
    return;
  }

  const chosen = choose(peers, options.peers);
  const load = build();

  for (const peer of chosen) {
    const run = await attempt(peer, options, load);

    console.log(tables([run]));
    if (run.error !== undefined) process.exitCode = 1;
    write(options, peer, run);
  }
}

async function attempt(peer, options, load) {
  try {
    return await measure(peer, options, load);
  } catch (err) {
    return { peer: peer.name, error: err.message.split('\n')[0] };
  }
}

function choose(peers, wanted) {
  return (wanted ?? peers.map(({ name }) => name)).map((name) => {
    const found = peers.find((peer) => peer.name === name);

    if (found !== undefined) return found;

    throw new Error(`There is no ${name}. There are: ${names(peers)}`);
  });
}

function names(peers) {
  return peers.map(({ name }) => name).join(', ');
}

/** Puts a run in the place of the last one of that peer. */
function write(options, { name, version }, run) {
  const directory = path.join(__dirname, 'results');
  const file = (extension) =>
    path.join(directory, `${options.out}.${extension}`);
  const earlier = fs.existsSync(file('json'))
    ? JSON.parse(fs.readFileSync(file('json'), 'utf8'))
    : { machine: {}, runs: [] };
  const machine = {
    ...earlier.machine,
    ...describe(options),
    ...(version && { [name]: version })
  };
  const runs = [...earlier.runs.filter(({ peer }) => peer !== name), run];

  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(
    file('json'),
    `${JSON.stringify({ machine, runs }, null, 2)}\n`
  );
  fs.writeFileSync(file('md'), report(machine, runs));
}

function describe({ node, interval }) {
  return {
    date: new Date().toISOString().slice(0, 10),
    CPU: `${os.cpus()[0].model.trim()} (${os.cpus().length} cores)`,
    memory: `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: os.release(),
    'Node.js': execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    ws: require('ws/package.json').version,
    oxws: require('../package.json').version,
    'descriptors of a process': descriptors(),
    pings: `after ${interval} s`
  };
}
