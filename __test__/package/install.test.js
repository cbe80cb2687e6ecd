'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const { napi, version } = require('../../package.json');

const root = path.join(__dirname, '..', '..');
const script = path.join(root, 'scripts', 'packages.js');
const example = fs.readFileSync(
  path.join(root, 'examples', 'lifecycle.js'),
  'utf8'
);

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-packages-'));
const project = path.join(directory, 'project');

/** Nothing is on it: no compiler, no cargo, no node. */
const PATH = path.join(directory, 'bin');

/** The npm that runs this test, or the one that is installed. */
const npm = [
  process.env.npm_execpath,
  ...process.env.PATH.split(path.delimiter).map((bin) => path.join(bin, 'npm')),
  path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js')
]
  .filter((file) => file && fs.existsSync(file))
  .map((file) => fs.realpathSync(file))
  .find((file) => path.basename(file) === 'npm-cli.js');

/** Runs `node` where nothing of the checkout, of cargo or of npm is known. */
function node(cwd, ...parameters) {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|node_path|path$)/i.test(name)
  );
  const child = spawn(process.execPath, parameters, {
    cwd,
    env: { ...Object.fromEntries(inherited), PATH },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  const output = { stdout: '', stderr: '' };

  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      output[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

/** Runs npm without a network and without anybody's cache. */
function runNpm(cwd, ...parameters) {
  const cache = path.join(directory, 'cache');

  return node(cwd, npm, ...parameters, '--offline', '--cache', cache);
}

/** A copy of the project that a test may break. */
function copyOfProject() {
  const copy = fs.mkdtempSync(path.join(directory, 'copy-'));

  fs.cpSync(project, copy, { recursive: true });
  return copy;
}

/** The message and the cause of the Error that `require('oxws')` throws. */
async function failureIn(cwd, before = '') {
  const { stdout, stderr } = await node(
    cwd,
    '-e',
    `${before};
     try { require('oxws') } catch ({ message, cause }) {
       console.log(JSON.stringify({ message, cause: cause && cause.code }));
     }`
  );

  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

let binding;

beforeAll(async () => {
  const laidOut = await node(root, script, path.join(directory, 'packages'));

  expect(laidOut).toEqual({ code: 0, stdout: '', stderr: '' });

  const names = fs.readdirSync(path.join(directory, 'packages'));

  [binding] = names.filter((name) => name !== 'oxws');
  expect(names.sort()).toEqual([binding, 'oxws'].sort());

  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{}');

  const packed = await runNpm(
    directory,
    'pack',
    './packages/oxws',
    `./packages/${binding}`
  );

  expect({ ...packed, stderr: '' }).toEqual({
    code: 0,
    stdout: `oxws-${version}.tgz\noxws-binding-${binding}-${version}.tgz\n`,
    stderr: ''
  });

  const tarballs = packed.stdout.trim().split('\n');
  const installed = await runNpm(
    project,
    'install',
    '--no-audit',
    '--no-fund',
    ...tarballs.map((name) => path.join(directory, name))
  );

  expect(installed.code).toBe(0);
});

afterAll(() => fs.rmSync(directory, { recursive: true }));

describe('the packages, installed without a network and without Rust', () => {
  test('are oxws, without an addon, and the one with the addon', () => {
    const modules = path.join(project, 'node_modules');
    const files = fs.readdirSync(modules, { recursive: true });

    expect(files.filter((name) => name.endsWith('.node'))).toEqual([
      path.join('@oxws', `binding-${binding}`, `oxws.${binding}.node`)
    ]);
  });

  test('are the entries, and one file that has their modules', () => {
    const lib = path.join(project, 'node_modules/oxws/lib');
    const files = fs
      .readdirSync(lib, { recursive: true })
      .filter((name) => name.endsWith('.js'));

    expect(files.sort()).toEqual(
      [
        'backplanes/index.js',
        'extension.js',
        'extra/index.js',
        'modules.js',
        'native/addon.js',
        'permessage-deflate.js',
        'receiver.js',
        'sender.js',
        'stream.js',
        'subprotocol.js',
        'websocket-server.js',
        'websocket.js'
      ].map((name) => name.replaceAll('/', path.sep))
    );
  });

  test('share their classes between the entries', async () => {
    const { code, stdout, stderr } = await node(
      project,
      '-e',
      `const { WebSocket, WebSocketServer, Receiver } = require('oxws');
       const { Topics, broadcast, stats } = require('oxws/extra');
       const { threadBackplane } = require('oxws/backplanes');
       const lib = require.resolve('oxws/package.json') + '/../lib/';
       console.log(require(lib + 'websocket') === WebSocket);
       console.log(require(lib + 'receiver') === Receiver);

       const backplane = threadBackplane({ name: 'all' });
       const topics = new Topics({ backplane });
       const wss = new WebSocketServer({ port: 0 }, () => {
         const ws = new WebSocket('ws://localhost:' + wss.address().port);

         ws.on('message', (data) => {
           console.log(String(data));
           if (String(data) === 'all') console.log(topics.publish('topic', 'topic'));
           else ws.close();
         });
         ws.on('close', async (code) => {
           console.log(code, stats(wss).accepted);
           await topics.close();
           wss.close();
         });
       });
       wss.on('connection', (ws) => {
         topics.subscribe(ws, 'topic');
         broadcast(wss.clients, 'all');
       });`
    );

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('true\ntrue\nall\n1\ntopic\n1005 1\n');
  });

  test('need no script, and name the addons of all platforms', () => {
    const own = require(path.join(project, 'node_modules/oxws/package.json'));

    expect(own.scripts).toBeUndefined();
    expect(own.dependencies).toBeUndefined();
    expect(Object.keys(own.optionalDependencies)).toHaveLength(
      napi.targets.length
    );
    expect(own.optionalDependencies).toHaveProperty(
      [`@oxws/binding-${binding}`],
      version
    );
  });

  test.each([
    ['a CommonJS module', 'lifecycle.cjs', "require('oxws')"],
    ['an ES module', 'lifecycle.mjs', "(await import('oxws'))"]
  ])('run the example as %s', async (_, name, library) => {
    const file = path.join(project, name);

    expect(example).toContain("require('..')");
    fs.writeFileSync(file, example.replace("require('..')", library));

    const { code, stdout, stderr } = await node(project, file);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/client receives .* Good, thanks! /);
    expect(stdout).toMatch(/client CLOSED, server CLOSED\s*$/);
  });

  test('give an ES module all names, and the class that require() gives', async () => {
    const { code, stdout, stderr } = await node(
      project,
      '--input-type=module',
      '-e',
      `import WebSocket, * as named from 'oxws';
       import { createRequire } from 'module';
       const required = createRequire(import.meta.url)('oxws');
       console.log(WebSocket === required, Object.keys(named).join());`
    );

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      'true PerMessageDeflate,Receiver,Sender,WebSocket,WebSocketServer,' +
        'createWebSocketStream,default,extension,subprotocol\n'
    );
  });
});

describe('under the name of ws', () => {
  const consumer = path.join(directory, 'consumer');

  beforeAll(async () => {
    const peer = path.join(directory, 'peer');

    for (const [place, manifest] of [
      [
        peer,
        { name: 'peer', version: '1.0.0', peerDependencies: { ws: '^8' } }
      ],
      [consumer, { name: 'consumer', version: '1.0.0' }]
    ]) {
      fs.mkdirSync(place);
      fs.writeFileSync(
        path.join(place, 'package.json'),
        JSON.stringify(manifest)
      );
    }
    expect((await runNpm(directory, 'pack', './peer')).code).toBe(0);
  });

  test('it is the ws that others ask for', async () => {
    const installed = await runNpm(
      consumer,
      'install',
      '--no-audit',
      '--no-fund',
      `ws@file:${path.join(directory, `oxws-${version}.tgz`)}`,
      path.join(directory, `oxws-binding-${binding}-${version}.tgz`),
      path.join(directory, 'peer-1.0.0.tgz')
    );

    expect(installed).toMatchObject({ code: 0 });

    const { stdout } = await node(
      consumer,
      '-p',
      "require('ws/package.json').name + require('ws').Server.name"
    );

    expect(stdout).toBe('oxwsWebSocketServer\n');
  });

  test.each([
    ['wrapper.mjs'],
    ['browser.js'],
    ['lib/extension.js'],
    ['lib/permessage-deflate.js'],
    ['lib/receiver.js'],
    ['lib/sender.js'],
    ['lib/stream.js'],
    ['lib/subprotocol.js'],
    ['lib/websocket.js'],
    ['lib/websocket-server.js']
  ])('%s is where ws has it, and exports the same', async (name) => {
    const [own, theirs] = await Promise.all(
      [consumer, root].map((place) => {
        const file = path.join(place, 'node_modules/ws', name);

        return node(
          place,
          '--input-type=module',
          '-e',
          `const exports = await import(${JSON.stringify(file)});
           console.log(Object.keys(exports).sort(), exports.default.name);`
        );
      })
    );

    expect(theirs).toMatchObject({ code: 0, stderr: '' });
    expect(own.stdout).toBe(theirs.stdout);
  });
});

test('npm run packages -- --help says how it is used', async () => {
  const { code, stdout } = await node(root, script, '--help');

  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^npm run packages -- .*--all.*DIRECTORY/)
  });
});

describe('what require() throws', () => {
  test('names the package that is missing, and the way out', async () => {
    const cwd = copyOfProject();

    fs.rmSync(path.join(cwd, 'node_modules/@oxws'), { recursive: true });
    expect(await failureIn(cwd)).toEqual({
      message:
        `oxws could not load its addon for ${binding}: the optional ` +
        `dependency "@oxws/binding-${binding}" is not installed. Install ` +
        'again, on this platform, without --omit=optional; if that does not ' +
        'help, delete node_modules and the lock file first, which another ' +
        'platform may have written. In a checkout "npm run build" builds it.'
    });
  });

  test('says why an addon that is there does not load', async () => {
    const cwd = copyOfProject();
    const addon = `node_modules/@oxws/binding-${binding}/oxws.${binding}.node`;

    fs.writeFileSync(path.join(cwd, addon), 'not an addon');

    const { message, cause } = await failureIn(cwd);

    expect(message).toMatch(`oxws could not load its addon for ${binding}: `);
    expect(message).toMatch(`oxws.${binding}.node`);
    expect(cause).toBe('ERR_DLOPEN_FAILED');
  });

  const isNew = parseInt(process.versions.node) >= 22;
  const permission = isNew ? '--permission' : '--experimental-permission';

  test.each([
    ['--no-addons', ['--no-addons']],
    [permission, [permission, '--allow-fs-read=*']]
  ])('says what %s has to do with it', async (_, flags) => {
    const { stdout } = await node(
      project,
      ...flags,
      '-e',
      `try { require('oxws') } catch ({ message, cause }) {
         console.log(cause.code, message);
       }`
    );

    expect(stdout).toBe(
      `ERR_DLOPEN_DISABLED oxws could not load its addon for ${binding}: ` +
        'Node.js was told to load none. Start it with --allow-addons where ' +
        'it is started with --permission (and with --allow-net where there ' +
        'is that), and without --no-addons; or use ws, which can do without ' +
        'an addon.\n'
    );
  });

  test(`is nothing under ${permission} with --allow-addons`, async () => {
    const { code, stdout } = await node(
      project,
      permission,
      '--allow-fs-read=*',
      '--allow-addons',
      '-p',
      "require('oxws').name"
    );

    expect({ code, stdout }).toEqual({ code: 0, stdout: 'WebSocket\n' });
  });

  test('says which platforms have no package', async () => {
    const name = "Object.defineProperty(process, 'platform', { value: 'aix' })";

    expect(await failureIn(copyOfProject(), name)).toEqual({
      message:
        `oxws could not load its addon for aix-${process.arch}: there is no ` +
        'package with one. Where Rust is installed "npm run build" in a ' +
        'checkout builds it.'
    });
  });
});
