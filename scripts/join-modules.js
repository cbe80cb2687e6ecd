'use strict';

// Joins the modules of the package in a directory to one file. To find, read and
// compile some eighty takes 20 ms of each process, each worker and each test file
// of Jest that loads oxws; one file takes a fifth of that.

const fs = require('fs');
const path = require('path');
const { promisify } = require('util');
const webpack = require('webpack');

/** The one file. */
const JOINED = 'lib/modules.js';

/** It looks for the addon from where it is itself. */
const APART = 'lib/native/addon.js';

/**
 * What can be required: the entries of the package, and files that are where ws
 * has them, with the names that `import` finds in them besides `default`. The
 * others are only modules of these.
 */
const ENTRIES = {
  'index.js': [],
  'lib/backplanes/index.js': [],
  'lib/extra/index.js': [],
  'lib/extension.js': ['format', 'parse'],
  'lib/permessage-deflate.js': [],
  'lib/receiver.js': [],
  'lib/sender.js': [],
  'lib/stream.js': [],
  'lib/subprotocol.js': ['parse'],
  'lib/websocket.js': [],
  'lib/websocket-server.js': []
};

/** @param {string} directory Of the package; its files are replaced */
async function joinModules(directory) {
  const sources = scripts(path.join(directory, 'lib'));

  write(directory, JOINED, tableOf(Object.keys(ENTRIES)));

  const joined = await join(directory);

  for (const source of sources) {
    if (source === path.join(directory, APART)) continue;
    if (!joined.has(source)) throw new Error(`No module requires ${source}`);
    fs.rmSync(source);
  }
  for (const [entry, names] of Object.entries(ENTRIES)) {
    write(directory, entry, stubOf(entry, names));
  }
}

/**
 * An entry. Were it `module.exports = require(…)`, `import` would read the whole
 * file for names first; it takes those of an assignment that is never run.
 */
function stubOf(entry, names) {
  const id = path.posix.relative(path.posix.dirname(entry), JOINED);
  const lines = [
    "'use strict';",
    `const modules = require('${id.startsWith('.') ? id : `./${id}`}');`,
    `module.exports = modules['${entry}']();`
  ];

  if (names.length > 0) {
    lines.push(`0 && (module.exports = { ${names.join(', ')} });`);
  }
  return `${lines.join('\n\n')}\n`;
}

/** A module that runs those it is asked for, and no others. */
function tableOf(ids) {
  const members = ids.map((id) => `  '${id}': () => require('../${id}')`);

  return `'use strict';\n\nmodule.exports = {\n${members.join(',\n')}\n};\n`;
}

/** Puts all that the table requires into its file; returns what that was. */
async function join(directory) {
  const compiler = webpack({
    mode: 'none',
    target: 'node20',
    context: directory,
    entry: `./${JOINED}`,
    output: {
      path: directory,
      filename: JOINED,
      library: { type: 'commonjs2' }
    },
    optimization: { moduleIds: 'named', nodeEnv: false },
    node: false,
    externals: ({ context, request }, callback) => {
      const isApart =
        request.startsWith('.') &&
        require.resolve(path.resolve(context, request)) ===
          path.join(directory, APART);

      if (isApart) callback(null, 'commonjs ./native/addon.js');
      else callback();
    }
  });
  const stats = await promisify(compiler.run.bind(compiler))();

  await promisify(compiler.close.bind(compiler))();
  if (stats.hasErrors() || stats.hasWarnings()) {
    throw new Error(
      stats.toString({ all: false, errors: true, warnings: true })
    );
  }
  return new Set(
    [...stats.compilation.modules].map(({ resource }) => resource)
  );
}

/** The paths of all JavaScript below a directory. */
function scripts(directory) {
  return fs
    .readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => path.join(directory, name));
}

function write(directory, name, text) {
  fs.writeFileSync(path.join(directory, name), text);
}

module.exports = joinModules;
