'use strict';

// What the documents say is so: their programs run, their links lead somewhere,
// and what they name is there. CONTRIBUTING.md tells the conventions.

const fs = require('fs');
const path = require('path');

const { connectionDefaults } = require('../../lib/constants');
const { scripts } = require('../../package.json');
const { root } = require('../support/child');
const {
  anchorsOf,
  blocksOf,
  documents,
  linksOf,
  proseOf,
  spansOf
} = require('./support/markdown');
const { STAGES, run } = require('./support/stages');

/** Their commands take minutes, and are not run. */
const SLOW = ['bench', 'fuzz'].map((name) => path.join(name, 'README.md'));

const NOT_RUN = /^not run: \S/;
const MARKERS = [
  NOT_RUN,
  new RegExp(`^run as: (${Object.keys(STAGES).join('|')})( \\S+)?$`),
  /^run by: \S+$/,
  /^output in any order$/
];

const blocks = documents().flatMap(blocksOf);
const placeOf = ({ file, line }) => `${file}:${line}`;

/** The blocks in that language that are not marked as not to be run. */
function select(language) {
  return blocks
    .filter((block) => block.language === language)
    .filter(({ marker }) => !NOT_RUN.test(marker))
    .map((block) => [placeOf(block), block]);
}

/** The output that the document shows below a program. */
function outputBelow(block) {
  const next = blocks[blocks.indexOf(block) + 1];

  return next?.file === block.file && next.language === 'text' ? next : null;
}

test('all blocks are in languages that are checked, and marked as agreed', () => {
  const unknown = blocks.filter(
    ({ language, marker }) =>
      !['js', 'sh', 'json', 'diff', 'text', ''].includes(language) ||
      (marker && !MARKERS.some((pattern) => pattern.test(marker)))
  );

  expect(unknown.map(placeOf)).toEqual([]);
});

test.each(select('js'))('%s is a program that runs', async (place, block) => {
  const shown = outputBelow(block);
  const output = await run(block);

  if (shown === null) return;

  const lines = [shown.code, output].map((text) => text.split('\n'));

  if (shown.marker === 'output in any order')
    lines.forEach((each) => each.sort());
  expect(lines[1]).toEqual(lines[0]);
});

test.each(select('json'))('%s is JSON', (place, { code }) => {
  expect(() => JSON.parse(code)).not.toThrow();
});

const commands = select('sh').filter(([, { file }]) => !SLOW.includes(file));

test.each(commands)('%s is run by CI', (place, { code, marker = '' }) => {
  expect(marker).toMatch(/^run by: /);

  const script = fs
    .readFileSync(path.join(root, marker.split(': ')[1]), 'utf8')
    .replaceAll('npm --silent', 'npm')
    .replaceAll('npm ci', 'npm install');

  for (const command of commandsOf(code)) expect(script).toContain(command);
});

/** The commands of a shell script, without comments. */
function commandsOf(code) {
  return code
    .replace(/(^|\s)#.*/gm, '')
    .split(/\n|&&/)
    .map((command) => command.trim())
    .filter((command) => command !== '');
}

test.each(documents())('what is to be called in %s exists', (file) => {
  const named = [
    ...spansOf(file),
    ...blocksOf(file)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => commandsOf(code))
  ];
  const called = named.flatMap((command) => {
    const [, ran, short] =
      /^npm (?:run ([\w:]+)|(start|test)\b)/.exec(command) || [];
    const script = ran || short;
    const [, program] =
      /^node ((?:\.{0,2}[\w-]*\/)*[\w-]+\.m?js)\b/.exec(command) || [];

    return [
      ...(script && !scripts[script] ? [`npm run ${script}`] : []),
      ...(program && !fs.existsSync(path.join(root, program)) ? [program] : [])
    ];
  });

  expect(called).toEqual([]);
});

test.each(documents())('the links of %s lead somewhere', (file) => {
  const broken = linksOf(file)
    .filter((link) => !/^https:\/\/[\w.-]+(\/|$)/.test(link))
    .filter((link) => {
      const [name, anchor] = link.split('#');
      const target = name ? path.join(path.dirname(file), name) : file;

      // A page of the repository's host.
      if (target.startsWith('..')) return false;
      if (!fs.existsSync(path.join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });

  expect(broken).toEqual([]);
});

test('all examples are listed, and run by a test', () => {
  const spans = spansOf('examples/README.md').join('\n');
  const tests = ['package', 'system', 'api']
    .map((name) => path.join(root, '__test__', name))
    .flatMap((directory) =>
      fs
        .readdirSync(directory)
        .filter((name) => name.endsWith('.test.js'))
        .map((name) => fs.readFileSync(path.join(directory, name), 'utf8'))
    )
    .join('\n');
  const programs = fs
    .readdirSync(path.join(root, 'examples'), { recursive: true })
    .filter((name) => /^([\w-]+|\w+\/(server|client))\.js$/.test(name));

  expect(programs.length).toBeGreaterThan(10);
  for (const name of programs) {
    expect(spans).toContain(`node examples/${name}`);
    expect(tests).toMatch(new RegExp(`examples(/|', ')${name}`));
  }
});

test.each(Object.entries(connectionDefaults))(
  'docs/api.md has the default of %s',
  (name, value) => {
    expect(proseOf('docs/api.md')).toMatch(
      new RegExp(`^\\| \`${name}\` \\| [^|]+ \\| \`?${value}\`? \\|`, 'm')
    );
  }
);

test('docs/api.md has all errors and environment variables', () => {
  const sources = [
    ...sourcesOf('lib', '.js'),
    ...sourcesOf('src', '.rs')
  ].join();
  const names = sources.match(/\b(WS_ERR|OXWS)_[A-Z0-9_]+\b/g);
  const reference = spansOf('docs/api.md').join();

  expect(new Set(names).size).toBeGreaterThan(10);
  expect(
    [...new Set(names)].filter((name) => !reference.includes(name))
  ).toEqual([]);
});

function sourcesOf(directory, extension) {
  return fs
    .readdirSync(path.join(root, directory), { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => fs.readFileSync(path.join(root, directory, name), 'utf8'));
}
