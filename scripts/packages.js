'use strict';

// Lays out what is published, in npm/ or in the directory given: for each
// platform whose addon lies in the root a package with that addon alone, and
// the package "oxws" that names them all as optional dependencies and has no
// addon of its own. With --all every platform must be there.

const fs = require('fs');
const path = require('path');
const { parseArgs } = require('util');

const { parseTriple } = require('@napi-rs/cli');

const joinModules = require('./join-modules');

/** What only a checkout needs. */
const CHECKOUT_ONLY = [
  'devDependencies',
  'jest',
  'napi',
  'prettier',
  'private',
  'scripts'
];

const root = path.join(__dirname, '..');
const { values: flags, positionals } = parseArgs({
  options: { all: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true
});
const out = path.resolve(positionals[0] || path.join(root, 'npm'));

const USAGE = `npm run packages -- [--all] [DIRECTORY]

Lays out the packages that are published in DIRECTORY, npm/ by default: one for
each platform whose addon, oxws.<platform>.node, lies in the root, and "oxws".

  --all   fail unless the addons of all platforms are there
  --help  print this
`;

async function main() {
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }

  const manifest = readManifest();
  const platforms = manifest.napi.targets.map((triple) => {
    const { platform, arch, abi, platformArchABI } = parseTriple(triple);
    const addon = `${manifest.napi.binaryName}.${platformArchABI}.node`;

    return {
      directory: platformArchABI,
      name: `${manifest.napi.packageName}-${platformArchABI}`,
      addon,
      limits: {
        os: [platform],
        cpu: [arch],
        ...(platform === 'linux' && {
          libc: [abi === 'gnu' ? 'glibc' : abi]
        })
      },
      isBuilt: fs.existsSync(path.join(root, addon))
    };
  });
  const missing = platforms.filter(({ isBuilt }) => !isBuilt);

  if (flags.all && missing.length > 0) {
    throw new Error(`Not built: ${missing.map(({ addon }) => addon)}`);
  }
  for (const platform of platforms) layOutPlatform(manifest, platform);
  await layOutRoot(manifest, platforms);
}

function readManifest() {
  const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');
  const manifest = JSON.parse(read('package.json'));
  const [, version] = /^version = "(.+)"$/m.exec(read('Cargo.toml'));

  if (version !== manifest.version) {
    throw new Error(
      `Cargo.toml has version ${version}, package.json ${manifest.version}`
    );
  }
  return manifest;
}

function layOutPlatform(manifest, platform) {
  const { directory, name, addon, limits, isBuilt } = platform;
  const to = path.join(out, directory);

  // One that an earlier run left there would be of another version.
  fs.rmSync(to, { recursive: true, force: true });
  if (!isBuilt) return;

  write(to, 'package.json', {
    name,
    version: manifest.version,
    description: `The addon of ${manifest.name} for ${directory}`,
    license: manifest.license,
    author: manifest.author,
    repository: manifest.repository,
    main: addon,
    files: [addon],
    engines: manifest.engines,
    ...limits,
    publishConfig: { access: 'public' }
  });
  write(
    to,
    'README.md',
    `# ${name}\n\nThe addon of \`${manifest.name}\` for ${directory}, which ` +
      `\`npm install ${manifest.name}\` chooses by itself.\n`
  );
  for (const file of [addon, 'LICENSE']) copy(file, to);
}

async function layOutRoot(manifest, platforms) {
  const to = path.join(out, manifest.name);

  fs.rmSync(to, { recursive: true, force: true });

  const files = manifest.files.filter((pattern) => pattern !== '*.node');
  const published = Object.entries({ ...manifest, files }).filter(
    ([field]) => !CHECKOUT_ONLY.includes(field)
  );

  write(to, 'package.json', {
    ...Object.fromEntries(published),
    optionalDependencies: Object.fromEntries(
      platforms.map(({ name }) => [name, manifest.version])
    ),
    publishConfig: { access: 'public' }
  });
  // Whole directories: npm takes of them what `files` says.
  const entries = new Set(files.map((pattern) => pattern.split('/')[0]));

  for (const entry of [...entries, 'CHANGELOG.md', 'LICENSE', 'README.md']) {
    copy(entry, to);
  }
  await joinModules(to);
}

function write(to, name, content) {
  const text =
    typeof content === 'string'
      ? content
      : `${JSON.stringify(content, null, 2)}\n`;

  fs.mkdirSync(to, { recursive: true });
  fs.writeFileSync(path.join(to, name), text);
}

function copy(entry, to) {
  fs.cpSync(path.join(root, entry), path.join(to, entry), { recursive: true });
}

main().catch((err) => {
  console.error(err.message);
  process.exitCode = 1;
});
