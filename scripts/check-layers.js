'use strict';

// Checks who may name whom:
//
// - Layers of src/: the sans-IO ones name neither a runtime, a socket nor Node,
//   memory the same, the engine not Node.
// - Modules of src/: the entries of a folder do not import each other in a
//   circle, where a folder counts as one. The `mod.rs` of a layer only declares
//   and exports again; in folders below, a file may import from the `mod.rs` that
//   it is a part of.
// - Files of lib/: no circle of `require`.

const fs = require('fs');
const path = require('path');

const { findCycles } = require('./imports/cycles');
const { requires } = require('./imports/javascript');
const { rustImports } = require('./imports/rust');

const SANS_IO = /\b(tokio|socket2|napi\w*|std::net|unsafe)\b/;
const FORBIDDEN = {
  'src/protocol': SANS_IO,
  'src/handshake': SANS_IO,
  'src/memory': /\b(tokio|socket2|napi\w*)\b/,
  'src/engine': /\bnapi\w*/
};

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
    addEdge(graph, from, to, `lib/${from}:${line}`);
  }

  report('lib', graph);
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
