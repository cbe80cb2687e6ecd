'use strict';

// Numbers and texts that both languages know. Those of Rust are read from its
// source: they are not part of what the addon does.

const fs = require('fs');
const path = require('path');

const { kinds } = require('../../lib/native/bridge');
const flags = require('../../lib/native/frame-flags');
const { createViolation } = require('../../lib/errors/protocol-errors');
const { root } = require('../support/child');

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** `{ NAME: number }` of the names and numbers that a pattern finds. */
function table(source, pattern) {
  const found = [...source.matchAll(pattern)];

  expect(found.length).toBeGreaterThan(1);

  return Object.fromEntries(
    found.map(([, name, number]) => [
      name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase(),
      Number(number)
    ])
  );
}

test('kinds of events', () => {
  const source = read('src/engine/events/mod.rs');
  const [list] = /pub enum Kind \{[^}]*\}/.exec(source);
  const told = table(list, /^ {4}(\w+) = (\d+),/gm);

  // `lib/native/task.js` takes what is no violation for it.
  delete told.DONE;

  expect(kinds).toEqual(told);
});

test('opcodes and flags of frames', () => {
  const source = read('src/protocol/frame.rs');

  expect(flags).toEqual({
    ...table(source, /pub const (\w+): u8 = (0x[0-9a-f]+);/g),
    ...table(source, /pub const (\w+): Self = Self\((0x[0-9a-f]+)\);/g)
  });
});

test('flags of what an endpoint is made with', () => {
  const names = /const (IS_SERVER|SKIP_UTF8_VALIDATION)(?:: u32)? = (\d+);/g;

  expect(table(read('lib/native/endpoint.js'), names)).toEqual(
    table(read('src/node/calls/config.rs'), names)
  );
});

test('violations of the protocol', () => {
  const source = read('src/protocol/violation.rs');
  const numbers = table(source, /Self::(\w+)(?:\(_\))? => (\d+),/g);
  const texts = /TEXTS: \[&str; \d+\] = \[([^\]]*)\]/.exec(source)[1];

  for (const kind of Object.values(numbers)) {
    expect(createViolation(kind)).toBeInstanceOf(Error);
  }

  [...texts.matchAll(/"([^"]*)"/g)].forEach(([, text], detail) => {
    const err = createViolation(numbers.INFLATE, detail);

    expect(err.message).toBe(text);
  });
});
