'use strict';

// Checks who may name whom:
//
// - Layers of src/: the sans-IO ones name neither a runtime, a socket, a clock nor
//   Node, memory neither a runtime, a socket nor Node, the engine not Node.
// - Modules of src/: the entries of a folder do not import each other in a
//   circle, where a folder counts as one. The `mod.rs` of a layer only declares
//   and exports again; in folders below, a file may import from the `mod.rs` that
//   it is a part of.
// - Files of lib/: no circle of `require`. A folder requires from itself and from
//   the folders below it; from the first level, whose classes are made of the
//   folders, only what FIRST_LEVEL names.

const fs = require('fs');
const path = require('path');

const { findCycles } = require('./imports/cycles');
const { requires } = require('./imports/javascript');
const { rustImports } = require('./imports/rust');

const SANS_IO = /\b(tokio|socket2|napi\w*|std::net|std::time|unsafe)\b/;
const FORBIDDEN = {
  'src/protocol': SANS_IO,
  'src/handshake': SANS_IO,
  'src/memory': /\b(tokio|socket2|napi\w*)\b/,
  'src/engine': /\bnapi\w*/
};

/** The folders of lib/, from top to bottom. */
const FOLDERS = [
  'backplanes',
  'extra',
  'http2',
  'handshake',
  'connection',
  'native',
  'errors',
  'node'
];

/** Files of the first level of lib/, and the folders that may require them. */
const FIRST_LEVEL = {
  // Names, and what data can be: they require nothing themselves.
  'constants.js': FOLDERS,
  'payload.js': FOLDERS,
  'diagnostics.js': ['extra', 'handshake'],
  // Classes and parsers that stand at the first level as they have the names of
  // ws's files, though what uses them is the handshake and what compresses.
  'extension.js': ['handshake', 'http2'],
  'subprotocol.js': ['handshake', 'http2'],
  'permessage-deflate.js': ['handshake', 'connection', 'http2'],
  // Programs may replace its methods: then a native connection detaches.
  'receiver.js': ['connection'],
  // `oxws/extra` is built on the classes of ws.
  'close-payload.js': ['extra'],
  'websocket.js': ['extra'],
  'websocket-server.js': ['extra']
};

/** What functions of `oxws/extra` may do with a class, which brings this along. */
const ACCESS = /^extra\/[a-z]+-access\.js$/;

const root = path.join(__dirname, '..');

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function checkWords() {
  for (const [layer, forbidden] of Object.entries(FORBIDDEN)) {
    const names = fs.readdirSync(path.join(root, layer), { recursive: true });

    for (const name of names.filter((each) => each.endsWith('.rs'))) {
      const file = path.join(layer, name);
      const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n');

      lines.forEach((line, index) => {
        const found = forbidden.exec(line.replace(/\/\/.*/, ''));

        if (found)
          fail(`${file}:${index + 1}: ${layer} must not name ${found[0]}`);
      });
    }
  }
}

function checkModules() {
  const folders = new Map();

  for (const { from, to, line } of rustImports(path.join(root, 'src'))) {
    const [one, other] = [from.split('/'), to.split('/')];
    let depth = 0;

    while (one[depth] === other[depth]) depth++;

    const place = `src/${from}:${line}`;

    if (other[depth] === 'mod.rs') {
      if (depth === 1) fail(`${place}: src/${to} should only export again`);
    } else if (one[depth] !== 'mod.rs' && one[depth] !== 'lib.rs') {
      const folder = path.join('src', ...one.slice(0, depth));

      if (!folders.has(folder)) folders.set(folder, new Map());
      addEdge(folders.get(folder), one[depth], other[depth], place);
    }
  }

  for (const [folder, graph] of folders) report(folder, graph);
}

function checkRequires() {
  const graph = new Map();

  for (const { from, to, line } of requires(path.join(root, 'lib'))) {
    const place = `lib/${from}:${line}`;

    addEdge(graph, from, to, place);
    if (!mayRequire(from, to)) fail(`${place}: must not require lib/${to}`);
  }

  report('lib', graph);
}

function mayRequire(from, to) {
  const [one, other] = [from, to].map((name) => path.dirname(name));

  if (one === '.') return !to.startsWith('extra/') || ACCESS.test(to);
  if (other === '.') return (FIRST_LEVEL[to] ?? []).includes(one);

  const [height, below] = [one, other].map((name) => FOLDERS.indexOf(name));

  // A folder that has no place in FOLDERS requires nothing, and nothing it.
  return height !== -1 && below >= height;
}

function addEdge(graph, from, to, place) {
  if (!graph.has(from)) graph.set(from, new Map());
  if (!graph.get(from).has(to)) graph.get(from).set(to, place);
}

function report(folder, graph) {
  for (const cycle of findCycles(graph)) {
    fail(`${folder} has a circle of imports: ${cycle.join(' -> ')}`);
    cycle.slice(1).forEach((to, index) => {
      fail(`  ${graph.get(cycle[index]).get(to)} imports ${to}`);
    });
  }
}

checkWords();
checkModules();
checkRequires();
