'use strict';

/** `npm run bench`: see README.md. */
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { build } = require('./build');
const { chart } = require('./chart');
const { measure } = require('./measure');
const { parse, usage } = require('./options');
const peerList = require('./peers');
const { report, table } = require('./report');
const scenarioList = require('./scenarios');
const { summarise } = require('./statistics');

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

  const load = options.list ? '' : build();
  const peers = chosen(peerList.all(options, load), options.peers, options);
  const scenarios = chosen(scenarioList, options.scenarios, options);

  if (options.list) {
    console.log(`scenarios: ${names(scenarioList)}`);
    console.log(`peers: ${names(peerList.all(options, load))}`);
    return;
  }

  const machine = describe(options, peers);
  const tables = [];
  const rows = [];
  const runs = [];

  for (const scenario of scenarios) {
    const results = await runScenario(scenario, peers, options, load);

    if (results.length === 0) continue;

    const summary = summarise(results);

    runs.push(...results);
    rows.push(...summary);
    tables.push(table(scenario, summary));
    console.log(tables.at(-1));
  }

  write(options.out, { machine, scenarios, rows, runs }, tables);
  if (rows.some(hasFailed)) process.exitCode = 1;
}

/** That a peer does not compress is no failure. */
function hasFailed({ error }) {
  return error !== undefined && !error.includes('not negotiated');
}

/** The peers take turns: what disturbs the machine disturbs them all. */
async function runScenario(scenario, peers, options, load) {
  const able = peers.filter((peer) => peer.supports(scenario));
  const results = [];

  for (let round = 0; round < options.rounds; round++) {
    for (const peer of able) {
      const key = { scenario: scenario.name, peer: peer.name, round };

      try {
        const run = await measure(scenario, peer, options, load);

        results.push({ ...key, run });
      } catch (err) {
        results.push({ ...key, error: err.message });
      }
    }

    // Who comes first is not always the same one.
    able.push(able.shift());
  }

  const order = names(peers).split(', ');

  return results.sort((a, b) => order.indexOf(a.peer) - order.indexOf(b.peer));
}

/** Those that were named, or all, or the quick ones. */
function chosen(list, wanted, { all }) {
  if (wanted === undefined) return list.filter(({ isQuick }) => all || isQuick);

  return wanted.map((name) => {
    const found = list.find((item) => item.name === name);

    if (found !== undefined) return found;

    throw new Error(`There is no ${name}. There are: ${names(list)}`);
  });
}

function names(list) {
  return list.map(({ name }) => name).join(', ');
}

function describe({ node, rounds, seconds, connections }, peers) {
  const versions = peers
    .filter(({ version }) => version !== undefined)
    .map(({ name, version }) => [name, version]);

  return {
    date: new Date().toISOString().slice(0, 10),
    CPU: `${os.cpus()[0].model.trim()} (${os.cpus().length} cores)`,
    kernel: os.release(),
    'Node.js': execFileSync(node, ['--version'], { encoding: 'utf8' }).trim(),
    ws: require('ws/package.json').version,
    oxws: require('../package.json').version,
    ...Object.fromEntries(versions),
    rounds: `${rounds} of ${seconds} s`,
    'idle connections': connections,
    'load average before': os.loadavg()[0].toFixed(1)
  };
}

function write(name, results, tables) {
  const directory = path.join(__dirname, 'results');
  const file = (extension) => path.join(directory, `${name}.${extension}`);

  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(file('json'), `${JSON.stringify(results, null, 2)}\n`);
  fs.writeFileSync(file('md'), report(results.machine, tables));
  fs.writeFileSync(file('svg'), chart(results));
  console.log(
    `Written: ${path.relative(process.cwd(), file('{json,md,svg}'))}`
  );
}
