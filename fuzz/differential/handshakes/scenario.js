'use strict';

const { requestOf, responseOf } = require('./heads');
const Random = require('../../../__test__/support/random');

/** Unmasked or masked, it is a ping: both sides answer or refuse it. */
const PING = { server: '\x89\x80\0\0\0\0', client: '\x89\0' };

/**
 * A scenario that follows from its seed: a WebSocketServer or a client, and the
 * head that its peer sends, whole or in pieces, with and without more after it.
 *
 * @returns {{ seed, side, options, protocols, text, places }} the text is
 *     Latin-1; `<accept>` in it stands for the answer to the client's key
 */
function scenarioOf(seed) {
  const random = new Random(seed);
  const side = random.pick(['server', 'client']);
  const head = side === 'server' ? requestOf(random) : responseOf(random);
  const more = random.pick(['', '', PING[side], 'body', head]);

  return {
    seed,
    side,
    options: side === 'server' ? serverOptions(random) : clientOptions(random),
    protocols: random.oneIn(2) ? ['chat', 'b'] : [],
    text: truncate(random, head + more),
    places: placesOf(random)
  };
}

function serverOptions(random) {
  const options = { perMessageDeflate: random.oneIn(2) };

  if (random.oneIn(4)) options.path = random.pick(['/', '/chat']);
  if (random.oneIn(8)) options.verifyClient = () => false;
  if (random.oneIn(8)) {
    options.verifyClient = (info, done) =>
      setImmediate(done, info.secure, 403, 'no', { 'X-Why': info.origin });
  }
  if (random.oneIn(6)) options.handleProtocols = (set) => [...set].at(-1);
  return options;
}

function clientOptions(random) {
  const options = { perMessageDeflate: !random.oneIn(3) };

  if (random.oneIn(8)) options.protocolVersion = 8;
  if (random.oneIn(8)) options.origin = 'http://example.com';
  if (random.oneIn(8)) options.headers = { 'X-Mine': 'a', Cookie: 'b=1' };
  return options;
}

/** Sometimes the end is missing. */
function truncate(random, text) {
  return random.oneIn(8) ? text.slice(0, random.below(text.length)) : text;
}

/** Whole, or cut into up to eight pieces: where, as parts of the length. */
function placesOf(random) {
  const count = random.oneIn(2) ? 0 : random.below(8);

  return Array.from({ length: count }, () => random.below(1000) / 1000).sort();
}

module.exports = { scenarioOf };
