'use strict';

// docs/architecture.md names where things happen: each place is there.

const fs = require('fs');
const path = require('path');

const { root } = require('../support/child');
const { spansOf } = require('./support/markdown');

const PLACE = /^((?:lib|src|scripts)\/[\w/-]+\.(js|rs)):(\w+)$/;
const FILE = /^(?:lib|src|scripts)\/[\w/-]+\.(?:js|rs)$/;

/** How a function begins, in each language. */
const definitions = {
  js: (name) =>
    new RegExp(
      `^ *(?:(?:static |async )*${name}\\([^;\n]*|(?:async )?function ${name}\\(.*|${name}: \\w+,)$`,
      'm'
    ),
  rs: (name) => new RegExp(`\\bfn ${name}\\b`)
};

const places = spansOf('docs/architecture.md')
  .map((span) => PLACE.exec(span))
  .filter((match) => match !== null);

test('docs/architecture.md names places', () => {
  expect(places.length).toBeGreaterThan(50);
});

test.each(places.map((match) => [...match]))(
  '%s is there',
  (_, file, language, name) => {
    const source = fs.readFileSync(path.join(root, file), 'utf8');

    expect(source).toMatch(definitions[language](name));
  }
);

test.each(spansOf('docs/architecture.md').filter((span) => FILE.test(span)))(
  '%s is there',
  (file) => {
    expect(fs.existsSync(path.join(root, file))).toBe(true);
  }
);
