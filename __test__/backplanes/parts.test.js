'use strict';

const { randomBytes } = require('crypto');

const { Assembler, Divider } = require('../../lib/backplanes/parts');

const LONG = randomBytes(1000);

/** What an assembler makes of parts. */
function assemble(parts, assembler = new Assembler()) {
  return parts.map((part) => assembler.add(part)).filter(Boolean);
}

test('a message that fits is whole', () => {
  const divider = new Divider();

  for (const length of [0, 1, 99]) {
    const parts = divider.divide(LONG.subarray(0, length), 100);

    expect(parts).toHaveLength(1);
    expect(Buffer.concat(assemble(parts))).toEqual(LONG.subarray(0, length));
  }
});

test('a longer one has parts that fit', () => {
  const parts = new Divider().divide(LONG, 100);

  expect(parts.every(({ length }) => length <= 100)).toBe(true);
  expect(assemble(parts)).toEqual([LONG]);
});

test('those of several publishers may come between each other', () => {
  const [one, two] = [LONG, LONG.subarray(1)].map((bytes) =>
    new Divider().divide(bytes, 100)
  );
  const mixed = one.flatMap((part, index) => [part, two[index]]);

  expect(assemble(mixed)).toEqual([LONG, LONG.subarray(1)]);
});

test.each([0, 1, 5, -1])(
  'of one whose part %i is lost nothing comes',
  (lost) => {
    const divider = new Divider();
    const parts = divider.divide(LONG, 100);

    parts.splice(lost, 1);
    expect(
      assemble([...parts, ...divider.divide(LONG.subarray(2), 100)])
    ).toEqual([LONG.subarray(2)]);
  }
);

test('those of publishers that are gone do not stay', () => {
  const assembler = new Assembler();
  const first = new Divider().divide(LONG, 100);

  assembler.add(first[0]);
  for (let count = 0; count < 64; count++) {
    assembler.add(new Divider().divide(LONG, 100)[0]);
  }
  expect(assemble(first.slice(1), assembler)).toEqual([]);
});

test('what is nothing of the kind is nothing', () => {
  expect(assemble([Buffer.of(), Buffer.of(7, 1), Buffer.of(1, 1)])).toEqual([]);
});
