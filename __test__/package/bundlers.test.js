'use strict';

// A program in a bundle, run where only the bundle, and the package of the
// platform or oxws itself, are installed.

const esbuild = require('esbuild');
const fs = require('fs');
const os = require('os');
const path = require('path');
const webpack = require('webpack');

const { root, runNode } = require('../support/child');
const { onRelease } = require('../support/resources');

const PROGRAM = `
  const { WebSocket, WebSocketServer } = require('oxws');
  const { shutdown } = require('oxws/extra');
  const wss = new WebSocketServer({ port: 0, perMessageDeflate: true });

  wss.on('connection', (ws) => {
    ws.on('message', (data) => ws.send('You said ' + data));
  });
  wss.on('listening', () => {
    const ws = new WebSocket('ws://localhost:' + wss.address().port);

    ws.on('open', () => ws.send('Hello'));
    ws.on('message', (data) => {
      console.log(String(data));
      shutdown(wss);
    });
  });
`;

/** `bundle(entry, file, isExternal)` by each bundler. */
const bundlers = [
  [
    'esbuild',
    async (entry, file, isExternal) => {
      const { warnings } = await esbuild.build({
        entryPoints: [entry],
        outfile: file,
        bundle: true,
        platform: 'node',
        external: isExternal ? ['oxws'] : [],
        logLevel: 'silent'
      });

      expect(warnings).toEqual([]);
    }
  ],
  [
    'webpack',
    async (entry, file, isExternal) => {
      const compiler = webpack({
        mode: 'development',
        devtool: false,
        target: 'node',
        entry,
        output: { path: path.dirname(file), filename: path.basename(file) },
        externals: isExternal
          ? { oxws: 'commonjs oxws', 'oxws/extra': 'commonjs oxws/extra' }
          : {}
      });
      const stats = await new Promise((resolve, reject) => {
        compiler.run((err, result) => (err ? reject(err) : resolve(result)));
      });

      await new Promise((resolve) => compiler.close(resolve));
      expect(stats.toJson({ errors: true, warnings: true })).toMatchObject({
        errors: [],
        warnings: []
      });
    }
  ]
];

/** An empty project, in which packages are links to what is here. */
function makeProject() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-bundle-'));

  onRelease(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

function install(directory, name, target) {
  const link = path.join(directory, 'node_modules', name);

  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.symlinkSync(target, link, 'junction');
}

/** The package of this platform, as it is published. */
function installAddon(directory) {
  const addon = fs.readdirSync(root).find((name) => name.endsWith('.node'));
  const name = addon.replace(/^oxws\.(.*)\.node$/, '@oxws/binding-$1');
  const place = path.join(directory, 'node_modules', name);

  fs.mkdirSync(place, { recursive: true });
  fs.copyFileSync(path.join(root, addon), path.join(place, addon));
  fs.writeFileSync(
    path.join(place, 'package.json'),
    JSON.stringify({ name, main: addon })
  );
}

describe.each(bundlers)('%s', (name, bundle) => {
  async function build(isExternal) {
    const source = makeProject();
    const entry = path.join(source, 'program.js');
    const target = makeProject();
    const file = path.join(target, 'bundle.js');

    install(source, 'oxws', root);
    fs.writeFileSync(entry, PROGRAM);
    await bundle(entry, file, isExternal);
    return { directory: target, file };
  }

  test('leaves oxws out', async () => {
    const { directory, file } = await build(true);

    install(directory, 'oxws', root);
    expect(fs.statSync(file).size).toBeLessThan(10_000);
    expect(await runNode([file])).toMatchObject({
      stdout: 'You said Hello\n',
      stderr: ''
    });
  });

  test('takes oxws in, but for the addon', async () => {
    const { directory, file } = await build(false);

    expect(await runNode([file])).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(
        /oxws could not load its addon .*"@oxws\/binding-/
      )
    });
    installAddon(directory);
    expect(await runNode([file])).toMatchObject({
      stdout: 'You said Hello\n',
      stderr: ''
    });
  });
});

test('for a browser the bundle has the function that throws', async () => {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: "import WebSocket from 'oxws'; export default WebSocket;",
      resolveDir: root
    },
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    write: false
  });
  const module = { exports: {} };

  expect(outputFiles[0].text).not.toContain('.node');
  new Function('module', 'exports', outputFiles[0].text)(
    module,
    module.exports
  );
  expect(module.exports.default).toThrow(/does not work in the browser/);
});
