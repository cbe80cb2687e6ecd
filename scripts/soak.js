'use strict';

// Mixed traffic for a long time: npm run soak -- --help

const { spawnSync } = require('child_process');
const path = require('path');
const { parseArgs } = require('util');

const MAIN = path.join(__dirname, '..', '__test__', 'soak', 'main.js');
const DRIVERS = ['adaptive', 'inline', 'thread', 'alternate'];

const USAGE = `Usage: npm run soak [-- [options] [SECONDS]]

Talks for SECONDS (60 by default) over all routes, with every message checked,
misuses connections, each of which must come to its end,
and fails when memory or descriptors grow.

  --driver a,b  ${DRIVERS.join(', ')}; by default all, one after the other
  --seed n      of the conversations`;

/** What memory may grow by from the second quarter to the last one. */
const FACTOR = 1.15;
const SLACK = 16;

/** Runs the traffic; true if all was well. */
function soak(driver, seconds, seed) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--expose-gc', MAIN, seconds].concat(seed ?? []),
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, OXWS_DRIVER: driver }
    }
  );

  if (status !== 0) return false;

  const figures = JSON.parse(stdout);
  const { conversations, messages, bytes, rss, descriptors } = figures;
  const isFlat = rss[3] <= rss[1] * FACTOR + SLACK;

  console.log(
    `${driver}: seed ${figures.seed}, ${conversations} conversations, ` +
      `${messages} messages, ${Math.round(bytes / 1e6)} MB; RSS in MiB ` +
      `${rss.slice(0, 4).join(', ')}, then ${rss[4]}; ` +
      `descriptors ${descriptors.join(', then ')}`
  );
  if (!isFlat) console.log('Memory grows.');
  return isFlat;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      driver: { type: 'string', default: DRIVERS.join(',') },
      help: { type: 'boolean', default: false },
      seed: { type: 'string' }
    }
  });
  const [seconds = '60'] = positionals;
  const drivers = values.driver.split(',');
  const unknown = drivers.find((driver) => !DRIVERS.includes(driver));

  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (unknown !== undefined) throw new Error(`There is no driver ${unknown}.`);
  if (!(Number(seconds) > 0)) {
    throw new Error(`${seconds} is no number of seconds.`);
  }
  for (const driver of drivers) {
    if (!soak(driver, seconds, values.seed)) process.exitCode = 1;
  }
}

try {
  main();
} catch (err) {
  console.error(err.message);
  process.exitCode = 1;
}
