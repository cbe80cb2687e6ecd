'use strict';

const fs = require('fs');
const path = require('path');

/**
 * What the files of a Rust crate import from each other, tests left out.
 *
 * @param {string} root The folder of `lib.rs`
 * @return {Array<{from: string, to: string, line: number}>} Paths in `root`
 */
function rustImports(root) {
  const files = fs
    .readdirSync(root, { recursive: true })
    .filter((name) => name.endsWith('.rs') && !/\btests(\.rs|\/)/.test(name));
  const modules = new Map(
    files.map((file) => [moduleOf(file), { file, ...read(root, file) }])
  );
  const imports = [];

  for (const [name, { file, paths }] of modules) {
    for (const { segments, line } of paths) {
      const to = resolve(modules, name, segments);

      if (to !== undefined && to !== file)
        imports.push({ from: file, to, line });
    }
  }

  return imports;
}

function moduleOf(file) {
  return file
    .replace(/\.rs$/, '')
    .split(path.sep)
    .filter((part) => part !== 'mod' && part !== 'lib')
    .join('::');
}

/** The paths that a file names, and those of them that it exports again. */
function read(root, file) {
  const code = fs
    .readFileSync(path.join(root, file), 'utf8')
    .replace(/#\[cfg\(test\)\]\s*mod \w+ \{[\s\S]*$/, '')
    .replace(/\/\/.*/g, '');
  const paths = [];
  const exported = new Map();

  for (const found of code.matchAll(/\b(pub(?:\([^)]*\))? )?use ([^;]+);/g)) {
    const line = code.slice(0, found.index).split('\n').length;

    for (const { segments, name } of expand(found[2].replace(/\s+/g, ' '))) {
      paths.push({ segments, line });
      if (found[1] !== undefined) exported.set(name, segments);
    }
  }

  const inline = code.replace(/\buse [^;]+;/g, (use) =>
    use.replace(/\S/g, ' ')
  );

  for (const found of inline.matchAll(/\b(?:crate|super)(?:::\w+)+/g)) {
    const line = inline.slice(0, found.index).split('\n').length;

    paths.push({ segments: found[0].split('::'), line });
  }

  return { exported, paths };
}

/** The paths of a tree like `a::{b, c::{self, D as E}}`. */
function expand(tree, prefix = []) {
  const group = /^([^{]*)\{(.*)\}$/.exec(tree.trim());
  const [head, alias] = (group ? group[1] : tree).trim().split(' as ');
  const segments = prefix.concat(
    head.split('::').filter((part) => part !== '' && part !== 'self')
  );

  if (group === null) return [{ segments, name: alias ?? segments.at(-1) }];

  return split(group[2]).flatMap((part) => expand(part, segments));
}

/** The parts of a list between commas that are in no further braces. */
function split(list) {
  const parts = [''];
  let depth = 0;

  for (const character of list) {
    depth += Number(character === '{') - Number(character === '}');
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }

  return parts.filter((part) => part.trim() !== '');
}

/** The file that has what `segments` name in the module `name`. */
function resolve(modules, name, segments) {
  let at = name;
  let rest = segments;

  if (rest[0] === 'crate') {
    at = '';
    rest = rest.slice(1);
  } else {
    if (rest[0] !== 'super' && !modules.has(join(at, rest[0])))
      return undefined;

    while (rest[0] === 'super') {
      at = at.split('::').slice(0, -1).join('::');
      rest = rest.slice(1);
    }
  }

  while (rest.length > 0) {
    const { exported } = modules.get(at);

    if (modules.has(join(at, rest[0]))) {
      at = join(at, rest[0]);
      rest = rest.slice(1);
    } else if (exported.has(rest[0])) {
      return resolve(modules, at, exported.get(rest[0]).concat(rest.slice(1)));
    } else {
      break;
    }
  }

  return modules.get(at).file;
}

function join(module, name) {
  return module === '' ? name : `${module}::${name}`;
}

module.exports = { rustImports };
