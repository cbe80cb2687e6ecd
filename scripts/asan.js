'use strict';

// Runs Jest on the addon built with AddressSanitizer, which brings
// LeakSanitizer: npm run test:asan [-- JEST ARGUMENTS]. Linux on x64 or arm64;
// a stable compiler will do.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const target = path.join(root, 'target', 'asan');
const checkout = path.join(target, 'checkout');

/** Known ones of others. */
const LEAKS = path.join(__dirname, 'asan-leaks.txt');

/** One after the other, unless one is named. */
const DRIVERS = process.env.OXWS_DRIVER
  ? [process.env.OXWS_DRIVER]
  : ['inline', 'thread', 'alternate'];

/** What the tests need of the checkout, to be run beside another addon. */
const FILES = [
  '__test__',
  'examples',
  'fuzz/differential',
  'index.js',
  'index.mjs',
  'lib',
  'package.json'
];

/** The name of a test. */
const THREAD_ENDS = 'does not keep process.exit\\(\\) of the main thread back';

/** Every route, deflate, workers, hand-overs, abrupt ends; nothing that measures. */
const TESTS = [
  '__test__/api/(buffered|close|control|deflate|fragments|messages|ordering)',
  '__test__/api/(pause|permessage|receiver|send|stream|watched)',
  '__test__/interop/(conversations|deflate-(?!bombs)|differential)',
  '__test__/native/workers',
  // Some end their processes inside a callback, which never returns then.
  '__test__/routes/(?!listener-errors|processes)',
  '__test__/soak/',
  // Not given back: what a thread has that is ended by process.exit(); and
  // references where there is no libuv, as Deno, alone, does not stand it.
  ...['-t', `^(?!.*(?:${THREAD_ENDS}|without libuv))`]
];

function build() {
  const [, triple] = /^host: (.*)$/m.exec(
    execFileSync('rustc', ['-vV'], { encoding: 'utf8' })
  );

  execFileSync(
    'cargo',
    // With a target named, what runs while building is left alone.
    ['build', '--lib', '--target', triple, '--target-dir', target],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        CARGO_PROFILE_DEV_OPT_LEVEL: '1',
        RUSTC_BOOTSTRAP: '1',
        RUSTFLAGS: '-Zsanitizer=address -Cforce-frame-pointers=yes'
      }
    }
  );
  return path.join(target, triple, 'debug', 'liboxws.so');
}

/** A copy of the checkout with this addon. */
function assemble(addon) {
  // Of the two C libraries of Linux, the one that is asked for first.
  const name = `oxws.linux-${process.arch}-gnu.node`;

  fs.rmSync(checkout, { recursive: true, force: true });
  for (const file of FILES) {
    fs.cpSync(path.join(root, file), path.join(checkout, file), {
      recursive: true
    });
  }
  fs.symlinkSync(
    path.join(root, 'node_modules'),
    path.join(checkout, 'node_modules')
  );
  fs.copyFileSync(addon, path.join(checkout, name));
}

function test(driver, args) {
  const runtime = execFileSync('gcc', ['-print-file-name=libasan.so'], {
    encoding: 'utf8'
  }).trim();
  const { status } = spawnSync(
    process.execPath,
    [require.resolve('jest/bin/jest'), '--runInBand', ...args],
    {
      cwd: checkout,
      stdio: 'inherit',
      env: {
        ...process.env,
        ASAN_OPTIONS: 'detect_leaks=1',
        LSAN_OPTIONS: `suppressions=${LEAKS}:print_suppressions=0`,
        LD_PRELOAD: runtime,
        OXWS_DRIVER: driver
      }
    }
  );

  return status === 0;
}

assemble(build());

const args = process.argv.length > 2 ? process.argv.slice(2) : TESTS;

for (const driver of DRIVERS) {
  console.log(`=== ${driver}`);
  if (!test(driver, args)) process.exitCode = 1;
}
