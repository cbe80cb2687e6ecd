'use strict';

// Looks for data races, undefined behaviour, deadlocks and lost wake-ups in the
// hand-over between threads (tests/hand_over.rs): npm run test:threads. Under
// ThreadSanitizer with any compiler that has its standard library's source,
// under Miri with a nightly one.

const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..');
const TEST = ['--test', 'hand_over'];

function rustc(...args) {
  return execFileSync('rustc', args, { cwd: root, encoding: 'utf8' });
}

const [, triple] = /^host: (.*)$/m.exec(rustc('-vV'));

const RUNS = [
  {
    name: 'ThreadSanitizer',
    needs: 'rustup component add rust-src',
    isThere: () =>
      fs.existsSync(
        path.join(rustc('--print', 'sysroot').trim(), 'lib', 'rustlib', 'src')
      ),
    // The standard library takes part: its locks must be seen.
    args: ['test', '-Zbuild-std', '--target', triple, ...TEST],
    env: { RUSTC_BOOTSTRAP: '1', RUSTFLAGS: '-Zsanitizer=thread' }
  },
  {
    name: 'Miri',
    needs: 'rustup component add --toolchain nightly miri rust-src',
    isThere: () =>
      spawnSync('cargo', ['+nightly', 'miri', '--version']).status === 0,
    args: ['+nightly', 'miri', 'test', ...TEST],
    // Sockets and the clock are the system's; threads of the pool wait for work
    // when the last test has ended, which counts as a leak.
    env: {
      MIRIFLAGS:
        '-Zmiri-disable-isolation -Zmiri-ignore-leaks ' +
        (process.env.MIRIFLAGS || '')
    }
  }
];

for (const { name, needs, isThere, args, env } of RUNS) {
  console.log(`=== ${name}`);
  if (!isThere()) {
    console.error(`This needs "${needs}".`);
    process.exitCode = 1;
    continue;
  }

  const directory = path.join(root, 'target', name.toLowerCase());
  const { status } = spawnSync('cargo', [...args, '--target-dir', directory], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env }
  });

  if (status !== 0) process.exitCode = 1;
}
