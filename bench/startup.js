'use strict';

/**
 * What it takes to load ws and oxws, as a checkout and as it is published:
 * `node bench/startup.js [rounds]`. Each load is a process of its own, of which
 * the CPU time from before `require()` to after it counts; the peers take turns.
 */
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const root = path.join(__dirname, '..');
const rounds = Number(process.argv[2] || 20);

/** Run in the process that loads. */
const PROGRAM = `
  const before = process.cpuUsage();
  require(process.argv[1]);
  const { user, system } = process.cpuUsage(before);
  console.log(user + system);
`;

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-startup-'));

try {
  measure();
} finally {
  fs.rmSync(directory, { recursive: true });
}

function measure() {
  const peers = {
    ws: require.resolve('ws'),
    'oxws, a checkout': root,
    'oxws, its package': install()
  };
  const times = Object.entries(peers).map(([name, file]) => ({
    name,
    file,
    all: []
  }));

  for (let round = 0; round < rounds; round++) {
    for (const { file, all } of times) all.push(load(file));
  }
  for (const { name, all } of times) {
    console.log(`${name}: ${(median(all) / 1000).toFixed(1)} ms`);
  }
}

/** Lays out the packages as npm does; returns where that of oxws is. */
function install() {
  const laidOut = path.join(directory, 'packages');
  const modules = path.join(directory, 'node_modules');
  const scope = path.join(modules, '@oxws');

  execFileSync(process.execPath, [
    path.join(root, 'scripts', 'packages.js'),
    laidOut
  ]);
  fs.mkdirSync(scope, { recursive: true });

  for (const name of fs.readdirSync(laidOut)) {
    const place =
      name === 'oxws'
        ? path.join(modules, name)
        : path.join(scope, `binding-${name}`);

    fs.renameSync(path.join(laidOut, name), place);
  }
  return path.join(modules, 'oxws');
}

/** Microseconds. */
function load(file) {
  return Number(execFileSync(process.execPath, ['-e', PROGRAM, file]));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
