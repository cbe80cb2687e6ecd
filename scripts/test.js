'use strict';

// Runs the tests of the Rust side, then Jest on each driver, and ends with the
// sum of their counts: "N passed, N failed". Arguments name the suites to run;
// `system` is the one that needs programs of the system.

const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { testPathIgnorePatterns } = require('../package.json').jest;

const JEST = require.resolve('jest/bin/jest');

/** Runs a command, shows what it prints and gives back its standard output. */
function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    });
    let output = '';

    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', (err) => console.error(err.message));
    child.on('close', (code) => resolve({ output, succeeded: code === 0 }));
  });
}

async function testRust() {
  const { output, succeeded } = await run('cargo', ['test', '--no-fail-fast']);
  const counts = { passed: 0, failed: 0, succeeded };

  for (const [, passed, failed] of output.matchAll(
    /^test result: .*?(\d+) passed; (\d+) failed/gm
  )) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  return counts;
}

async function testJavaScript(env, ...parameters) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
  const file = path.join(directory, 'results.json');

  try {
    const { succeeded } = await run(
      process.execPath,
      [JEST, '--json', `--outputFile=${file}`, ...parameters],
      env
    );
    const results = fs.existsSync(file) && JSON.parse(fs.readFileSync(file));

    return {
      passed: results ? results.numPassedTests : 0,
      // A file that throws while it loads has no test to count.
      failed: results
        ? results.numFailedTests + results.numRuntimeErrorTestSuites
        : 0,
      succeeded
    };
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

/**
 * The test files that go through all drivers themselves, in processes of their
 * own, and test nothing in this one.
 */
function filesWithDrivers() {
  const root = path.join(__dirname, '..', '__test__');
  const rows =
    /\b(drivers|ownDrivers)\b[^;]*require\('[./]+\/support\/drivers'\)/;

  return fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => {
      if (!name.endsWith('.test.js')) return false;

      const text = fs.readFileSync(path.join(root, name), 'utf8');

      return rows.test(text) && !/[{,]\s*implementations\b/.test(text);
    })
    .map((name) => `/__test__/${name.replaceAll(path.sep, '/')}$`);
}

const SUITES = {
  rust: testRust,
  javascript: () => testJavaScript({ OXWS_DRIVER: undefined }),
  // What is around the library is the same with every driver, and so is what
  // does not leave the choice to the environment. ws with itself is skipped.
  thread: () =>
    testJavaScript(
      { OXWS_DRIVER: 'thread', OXWS_TEST_REPEATED: '1' },
      '--testPathIgnorePatterns',
      ...testPathIgnorePatterns,
      '/__test__/package/',
      ...filesWithDrivers()
    ),
  system: () =>
    testJavaScript(
      { OXWS_DRIVER: undefined },
      '--config',
      '__test__/system/jest.config.js'
    )
};

async function main(names) {
  let passed = 0;
  let failed = 0;

  for (const name of names) {
    if (!Object.hasOwn(SUITES, name)) {
      throw new Error(
        `There is no suite "${name}": choose of ${Object.keys(SUITES).join(', ')}`
      );
    }
  }
  for (const name of names) {
    const part = await SUITES[name]();
    const isSilent = part.failed === 0 && (!part.succeeded || !part.passed);

    // Not to build, to crash or to run nothing is a failure too.
    passed += part.passed;
    failed += isSilent ? 1 : part.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

const [, , ...names] = process.argv;

main(names.length > 0 ? names : ['rust', 'javascript', 'thread']);
