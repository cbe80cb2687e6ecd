'use strict';

const fs = require('fs');
const path = require('path');

const { root } = require('../../support/child');

const IGNORED = ['.git', 'node_modules', 'target', 'npm'];

/** Every document of the repository. */
function documents() {
  return fs
    .readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !IGNORED.includes(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? fs
            .readdirSync(path.join(root, entry.name), { recursive: true })
            .map((name) => path.join(entry.name, name))
        : [entry.name]
    )
    .filter((name) => name.endsWith('.md'))
    .filter(
      (name) => !name.split(path.sep).some((part) => IGNORED.includes(part))
    )
    .sort();
}

/** What is between two fences, and the comment on the line above. */
const BLOCK =
  /^(?:<!-- (?<marker>.*?) -->\n)?```(?<language>\S*)[^\n]*\n(?<code>[\s\S]*?)^```$/gm;

/**
 * The fenced blocks of a document.
 *
 * @returns {{ file, line, language, code, marker }[]}
 */
function blocksOf(file) {
  const text = read(file);

  return Array.from(text.matchAll(BLOCK), ({ groups, index }) => ({
    ...groups,
    file,
    line: text.slice(0, index).split('\n').length
  }));
}

/** A document without its blocks. */
function proseOf(file) {
  return read(file).replace(BLOCK, '');
}

/** The names by which the headings of a document are linked to. */
function anchorsOf(file) {
  const seen = new Map();

  return Array.from(proseOf(file).matchAll(/^#+ (.*)$/gm), ([, heading]) => {
    const name = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(name) || 0;

    seen.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
}

/** Where the links of a document lead. */
function linksOf(file) {
  return Array.from(proseOf(file).matchAll(/\]\(([^)\s]+)\)/g), ([, to]) => to);
}

/** What a document has between back quotes. */
function spansOf(file) {
  return Array.from(proseOf(file).matchAll(/`([^`\n]+)`/g), ([, code]) => code);
}

function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

module.exports = { anchorsOf, blocksOf, documents, linksOf, proseOf, spansOf };
