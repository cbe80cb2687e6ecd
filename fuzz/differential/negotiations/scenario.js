'use strict';

const Random = require('../../../__test__/support/random');

/** What a flag may be set to; ws asks for what is true, and for `false`. */
const FLAGS = [undefined, true, false, null, 0, 1, '', 'yes'];

/** What an option for window bits may be set to, most of it in order. */
const BITS = [
  ...[undefined, true, false, 8, 9, 10, 11, 12, 13, 14, 15],
  ...[null, 0, -1, 7, 9.5, 16, 1e9, 1e21, NaN, Infinity],
  ...['10', '', 'ten', [11], {}]
];

const NAMES = [
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits'
];
const UNKNOWN = ['foo', '', 'toString', '__proto__', 'Client_max_window_bits'];

/** Values as a header can have them. */
const TOKENS = [
  ...['8', '9', '10', '11', '12', '13', '14', '15'],
  ...['0', '7', '16', '010', '+9', '-9', '9.', '9.0', '.9e1', '100E-1', '0xa'],
  ...['0XF', '0o12', '0b1010', '0x', '0b2', '1_0', '9n', 'ten', 'true', 'NaN']
];

/** And such as only a program has that calls `accept()` itself. */
const VALUES = [
  ...[10, 15, 7, 9.5, false, null, undefined, '', ' 9 ', '\ufeff9\u2028'],
  ...['\x859', 'Infinity', '1e400', '\u0669', [10], [], {}, 1e21]
];

/**
 * A scenario that follows from its seed: the options of one side, and what the
 * other side says, as a header or as `extension.parse()` would return it.
 *
 * @returns {{ seed, options, header, configurations }} one of the last two
 */
function scenarioOf(seed) {
  const random = new Random(seed);
  const isHeader = random.oneIn(2);
  const count = random.pick([1, 1, 1, 2, 3]);
  const offers = Array.from({ length: count }, () => offerOf(random, isHeader));

  return {
    seed,
    options: optionsOf(random),
    ...(isHeader
      ? { header: offers.map(write).join(', ') }
      : { configurations: offers })
  };
}

function optionsOf(random) {
  const options = { isServer: random.oneIn(2) };

  for (const name of ['serverNoContextTakeover', 'clientNoContextTakeover']) {
    if (random.oneIn(2)) options[name] = random.pick(FLAGS);
  }
  for (const name of ['serverMaxWindowBits', 'clientMaxWindowBits']) {
    if (random.oneIn(2)) options[name] = random.pick(BITS);
  }
  return options;
}

/** Of each parameter its values; mostly what may be there. */
function offerOf(random, isHeader) {
  const offer = Object.create(null);
  const isOdd = random.oneIn(3);

  for (let count = random.below(5); count > 0; count--) {
    const name = random.pick(isOdd && random.oneIn(5) ? UNKNOWN : NAMES);

    if (isHeader && name === '') continue;
    offer[name] = valuesOf(random, name, { isOdd, isHeader });
  }
  return offer;
}

function valuesOf(random, name, { isOdd, isHeader }) {
  if (!isOdd) return [usualValue(random, name)];

  const pool = isHeader ? TOKENS : [...TOKENS, ...VALUES];
  const value = random.oneIn(2)
    ? usualValue(random, name)
    : random.pick([true, ...pool]);

  if (random.oneIn(10)) return [value, random.pick(pool)];
  if (!isHeader && random.oneIn(20))
    return random.pick([[], '9', '10', 10, {}]);
  return [value];
}

function usualValue(random, name) {
  if (name.endsWith('takeover')) return true;
  if (name.startsWith('client') && random.oneIn(3)) return true;

  return String(8 + random.below(8));
}

function write(offer) {
  const params = Object.entries(offer).flatMap(([name, values]) =>
    values.map((value) => (value === true ? name : `${name}="${value}"`))
  );

  return ['permessage-deflate', ...params].join('; ');
}

module.exports = { scenarioOf };
