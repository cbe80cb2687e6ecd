'use strict';

// Runs the cases of the Autobahn testsuite. kosoku, a package on PyPI, has them
// for Python 3; it is installed below target/.

const { spawn, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');

const PACKAGE = 'kosoku==0.1.0';
const CONCURRENCY = 4;

const root = path.join(__dirname, '..');
const folder = path.join(root, 'target', 'autobahn');
const environment = path.join(folder, PACKAGE.replace('==', '-'));
const programs = path.join(environment, 'bin');
const kosoku = path.join(programs, 'kosoku');

/** Installs the suite unless it is there. */
function install() {
  if (fs.existsSync(kosoku)) return;

  const python = process.env.PYTHON || 'python3';
  const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1'];

  for (const [command, ...args] of [
    [python, '-m', 'venv', '--clear', environment],
    [path.join(programs, 'python'), ...pip, '--only-binary', ':all:', PACKAGE]
  ]) {
    const { error, status } = spawnSync(command, args, {
      stdio: ['ignore', 'inherit', 'inherit']
    });

    if (status === 0) continue;
    fs.rmSync(environment, { recursive: true, force: true });
    throw new Error(
      `${PACKAGE} could not be installed${error ? ` (${error.message})` : ''}` +
        ': that needs PyPI, once, and Python 3.10 or later, which is ' +
        `"${python}" or what the environment variable PYTHON names`
    );
  }
}

/**
 * A child process and what it prints.
 *
 * @returns {{ child, url: Promise<string>, ended: Promise<object> }} `url` is
 *     the first URL it prints, and rejects when it ends before; `ended`
 *     resolves `{ code, output }`
 */
function start(command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  let output = '';
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
  const url = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;

        const found = /(ws:\/\/\S+)\n/.exec(output);

        if (found) resolve(found[1]);
      });
    }
    ended.then(() => reject(new Error(output)), reject);
  });

  // Of some processes nobody asks for the URL.
  url.catch(() => {});

  return { child, url, ended };
}

/**
 * Runs cases against one side of a library.
 *
 * @param {object} target
 * @param {string} target.side 'server' or 'client': who is tested
 * @param {string} target.library what the tested side requires
 * @param {string} target.route 'native', 'adopted', 'stream' or 'http2'
 * @param {string} target.driver 'inline' or 'thread'
 * @param {object} group
 * @param {string} group.name of the folder of its reports
 * @param {string[]} group.include ids, or patterns with `*`
 * @param {string[]} group.exclude likewise
 * @param {object} group.options of the WebSocketServer or the WebSocket
 * @returns {Promise<object[]>} the report of each case, of which `id`,
 *     `behavior`, `behaviorClose`, `result` and `resultClose` are of interest
 */
async function runCases(target, { name, include, exclude, options }) {
  const { side, driver, library, route } = target;
  const reports = path.join(folder, 'reports', side, route, driver, name);
  const selection = [
    ...include.flatMap((pattern) => ['--include', pattern]),
    ...exclude.flatMap((pattern) => ['--exclude', pattern]),
    ...['--outdir', reports]
  ];
  const startPeer = (file, fields) =>
    start(
      process.execPath,
      [
        path.join(root, '__test__', 'autobahn', file),
        JSON.stringify({ library, route, options, ...fields })
      ],
      { OXWS_DRIVER: driver }
    );

  fs.rmSync(reports, { recursive: true, force: true });

  const [suite, peer] =
    side === 'server'
      ? await attackServer(startPeer, selection)
      : await attackClients(startPeer, selection);

  if (peer.code !== 0) throw new Error(peer.output);
  if (!fs.existsSync(reports)) throw new Error(suite.output);
  return fs
    .readdirSync(reports)
    .filter((file) => /_case_[\d_]+\.json$/.test(file))
    .map((file) => JSON.parse(fs.readFileSync(path.join(reports, file))));
}

async function attackServer(startPeer, selection) {
  const peer = startPeer('echo-server.js');
  const suite = start(kosoku, [
    ...['--mode', 'fuzzingclient', await peer.url],
    ...['--parallelism', String(CONCURRENCY)],
    ...selection
  ]);
  const outcome = await suite.ended;

  peer.child.stdin.end();
  return [outcome, await peer.ended];
}

async function attackClients(startPeer, selection) {
  const suite = start(kosoku, [
    ...['--mode', 'fuzzingserver', '127.0.0.1:0'],
    ...selection
  ]);
  const peer = startPeer('echo-clients.js', {
    url: await suite.url,
    concurrency: CONCURRENCY
  });
  const outcome = await peer.ended;

  if (outcome.code !== 0) suite.child.kill();
  return [await suite.ended, outcome];
}

module.exports = { install, runCases };
