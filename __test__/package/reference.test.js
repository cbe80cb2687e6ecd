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

const [api, extra, backplanes] = ['api.md', 'extra.md', 'backplanes.md'].map(
  (name) => fs.readFileSync(path.join(root, 'docs', name), 'utf8')
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
  const spans = api.match(/`[^`\n]+`/g).join('\n');
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

test('docs/api.md and index.d.ts have the same defaults', () => {
  const wrong = Array.from(optionRows(), ([name, value]) => {
    const comments = all
      .filter(([path]) => path.endsWith(`Options.${name}`))
      .map(([, node]) => node.getFullText(source).replace(/\n\s*\*/g, ''));

    return comments.some((text) =>
      new RegExp(`Default:[^.]*\\b${value}\\b`).test(text)
    )
      ? null
      : `${name}: ${value}`;
  });

  expect(wrong.length).toBeGreaterThan(20);
  expect(wrong.filter(Boolean)).toEqual([]);
});

/** `[name, default]` of the options in docs/api.md whose default is a value. */
function* optionRows() {
  const tables = api.matchAll(
    /^\| option \| type \| default \|.*\n(\|.*\n)+/gm
  );

  for (const [table] of tables) {
    yield* Array.from(
      table.matchAll(/^\| `(\w+)` \| [^|]+ \| `?(true|false|\d+)\b/gm),
      ([, name, value]) => [name, value]
    );
  }
}

/** Node's own, the addon's when it cannot be loaded, and PerMessageDeflate's. */
const OTHERS = ['system-errors.js', 'addon.js', 'permessage-deflate.js'];

const isIn = (pattern) => (name) => pattern.test(name.split(path.sep)[0]);

test.each([
  ['api.md', api, isIn(/^(?!(backplanes|extra|http2)$)/), 15],
  ['extra.md', extra, isIn(/^(extra|http2)$/), 5],
  ['backplanes.md', backplanes, isIn(/^backplanes$/), 5]
])('docs/%s has the text of each error', (file, text, isMeant, least) => {
  const lib = path.join(root, 'lib');
  const prose = text.replace(/\s+/g, ' ');
  const texts = fs
    .readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js') && isMeant(name))
    .filter((name) => !OTHERS.includes(path.basename(name)))
    .flatMap((name) => errorsOf(path.join(lib, name)));

  expect(texts.length).toBeGreaterThanOrEqual(least);
  expect(texts.filter((text) => !prose.includes(text))).toEqual([]);
});

test.each([
  ['extra', extra],
  ['backplanes', backplanes]
])('docs/%s.md has all that oxws/%s exports', (entry, text) => {
  for (const name of Object.keys(require(`../../lib/${entry}`))) {
    expect(text).toMatch(new RegExp(`^## .*\\b${name}\\b`, 'm'));
  }
});

/** How the errors begin that a file makes, as far as they are written there. */
function errorsOf(file) {
  const texts = [];

  (function visit(node) {
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) {
      texts.push(startOf(node.arguments?.[0]));
    }
    ts.forEachChild(node, visit);
  })(
    ts.createSourceFile(
      file,
      fs.readFileSync(file, 'utf8'),
      ts.ScriptTarget.Latest,
      true
    )
  );
  return texts.filter(Boolean);
}

function startOf(node) {
  if (node === undefined) return '';
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) return node.head.text;
  if (ts.isBinaryExpression(node)) {
    return startOf(node.left) + startOf(node.right);
  }
  return '';
}
