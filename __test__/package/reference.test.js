'use strict';

// The comments of index.d.ts are the reference in an editor, docs/api.md is the
// one to read: both have all there is.

const fs = require('fs');
const path = require('path');
const ts = require('typescript');

const { root } = require('../support/child');

const file = path.join(root, 'index.d.ts');
const source = ts.createSourceFile(
  file,
  fs.readFileSync(file, 'utf8'),
  ts.ScriptTarget.Latest,
  true
);

/** What EventEmitter has and docs/api.md need not tell. */
const INHERITED = ['on', 'once', 'off', 'addListener', 'removeListener'];

/** The names that stand for something else, and types that are what they say. */
const PLAIN = [
  'WebSocketAlias',
  'WebSocketClass',
  'BufferLike',
  'EventListener'
];

/** Every declaration: `[its path, its first node with a comment or its first]`. */
function declarations() {
  const found = new Map();

  function add(name, node) {
    const known = found.get(name);

    if (!known || !isDocumented(known)) found.set(name, node);
  }

  function visit(node, prefix) {
    const name = node.name && prefix + node.name.getText(source);

    if (ts.isVariableStatement(node)) {
      for (const declaration of node.declarationList.declarations) {
        add(prefix + declaration.name.getText(source), node);
        visitMembers(declaration.type, `${prefix}${declaration.name.text}.`);
      }
    } else if (ts.isModuleDeclaration(node)) {
      node.body.statements.forEach((child) => visit(child, ''));
    } else if (
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isFunctionDeclaration(node)
    ) {
      add(name, node);
      visitMembers(node, `${name}.`);
    }
  }

  function visitMembers(node, prefix) {
    for (const member of node?.members || []) {
      if (member.name) add(prefix + member.name.getText(source), member);
    }
  }

  source.statements.forEach((node) => visit(node, ''));
  return [...found];
}

function isDocumented(node) {
  return ts.getJSDocCommentsAndTags(node).length > 0;
}

const all = declarations().filter(([name]) => {
  const [owner, member] = name.split('.');

  return !PLAIN.includes(owner) && !INHERITED.includes(member);
});

test('index.d.ts has what there is to describe', () => {
  expect(all.length).toBeGreaterThan(120);
});

test('index.d.ts has a comment on each declaration', () => {
  expect(
    all.filter(([, node]) => !isDocumented(node)).map(([name]) => name)
  ).toEqual([]);
});

test('docs/api.md names each class, option, event and member', () => {
  const spans = fs
    .readFileSync(path.join(root, 'docs', 'api.md'), 'utf8')
    .match(/`[^`\n]+`/g)
    .join('\n');
  const missing = all
    // Types only have names in TypeScript.
    .filter(
      ([name, node]) =>
        name.includes('.') ||
        ts.isClassDeclaration(node) ||
        ts.isFunctionDeclaration(node)
    )
    .map(([name]) => name)
    .filter((name) => {
      const member = name.split('.').at(-1).replace(/['"]/g, '');

      return !new RegExp(`(?<![\\w-])${member}(?![\\w-])`).test(spans);
    });

  expect(missing).toEqual([]);
});
