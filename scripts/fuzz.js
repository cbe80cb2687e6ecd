'use strict';

// Runs the fuzz targets: npm run fuzz -- --help

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');

const root = path.join(__dirname, '..');
const fuzz = path.join(root, 'fuzz');
/** Of the differential fuzzer: what is played with ws and with oxws. */
const KINDS = ['calls', 'frames', 'handshakes', 'negotiations'];
const DRIVERS = ['inline', 'thread', 'alternate'];

const targets = fs
  .readdirSync(path.join(fuzz, 'targets'))
  .map((name) => path.parse(name).name);
/** What can be named, and what it stands for. */
const all = Object.fromEntries([
  ...[...targets, ...KINDS].map((name) => [name, [name]]),
  ['differential', KINDS]
]);

const USAGE = `Usage: npm run fuzz [-- [options] [TARGET [SECONDS]]]

Fuzzes TARGET, or each one, for SECONDS (60 by default). Targets:
${[...targets, ...KINDS].map((name) => `  ${name}`).join('\n')}
  differential: the last four

  --driver a,b  of ${KINDS.join(', ')}: ${DRIVERS}; each for its part of the time
  --seed n      of ${KINDS.join(', ')}: one scenario, with all that happens in it
  --input file  of the others: one input, such as one in fuzz/artifacts`;

/** cargo-fuzz wants a compiler that takes unstable flags; a stable one will do. */
const env = { ...process.env, RUSTC_BOOTSTRAP: '1' };

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    ...options
  });

  if (error) throw error;
  return status === 0;
}

/** Sets the addon beside ws, over sockets. */
function fuzzDifferences(kind, seconds, { driver, seed }) {
  const drivers = driver === undefined ? DRIVERS : driver.split(',');
  const share = String(Math.ceil(seconds / drivers.length));

  return drivers
    .map((name) =>
      run(
        process.execPath,
        [path.join(fuzz, 'differential', 'main.js'), kind, share].concat(
          seed ?? []
        ),
        { env: { ...process.env, OXWS_DRIVER: name } }
      )
    )
    .every(Boolean);
}

/** Feeds inputs to a part of the Rust side, under AddressSanitizer. */
function fuzzTarget(target, seconds, { input }) {
  const corpus = path.join(fuzz, 'corpus', target);
  const inputs =
    input === undefined
      ? [corpus, path.join(fuzz, 'seeds', target)]
      : [path.resolve(input)];

  fs.mkdirSync(corpus, { recursive: true });
  return run(
    'cargo',
    [
      ...['fuzz', 'run', '--fuzz-dir', fuzz],
      ...['--target-dir', path.join(root, 'target', 'fuzz')],
      ...[target, ...inputs, '--'],
      ...[`-max_total_time=${seconds}`, '-print_final_stats=1']
    ],
    { env }
  );
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      driver: { type: 'string' },
      help: { type: 'boolean', default: false },
      input: { type: 'string' },
      seed: { type: 'string' }
    }
  });

  if (values.help) {
    console.log(USAGE);
    return;
  }

  const [target, seconds = '60'] = positionals;

  if (target !== undefined && !Object.hasOwn(all, target)) {
    throw new Error(`There is no target ${target}.\n\n${USAGE}`);
  }
  if (!(Number(seconds) > 0)) {
    throw new Error(`${seconds} is no number of seconds.`);
  }

  const names = target === undefined ? [...targets, ...KINDS] : all[target];

  if (
    !names.every((name) => KINDS.includes(name)) &&
    spawnSync('cargo', ['fuzz', '--version'], { env }).status !== 0
  ) {
    throw new Error('This needs "cargo install --locked cargo-fuzz".');
  }

  for (const name of names) {
    console.log(`=== ${name}`);

    const hasPassed = KINDS.includes(name)
      ? fuzzDifferences(name, Number(seconds), values)
      : fuzzTarget(name, Number(seconds), values);

    if (!hasPassed) {
      process.exitCode = 1;
      return;
    }
  }
}

try {
  main();
} catch (err) {
  console.error(err.message);
  process.exitCode = 1;
}
