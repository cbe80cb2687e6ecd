'use strict';

const Random = require('../../../__test__/support/random');
const Stream = require('./stream');

/** What the WebSocket does beside listening. */
const MANNERS = ['listens', 'listens', 'echoes', 'echoes', 'closes'];

/**
 * A scenario that follows from its seed: a WebSocket with options, and what its
 * peer does to it.
 *
 * @returns {{ seed, side, route, manner, options, parameters, chunks }}
 *     `parameters` are those of permessage-deflate, null without it; `chunks`
 *     is the peer's stream as it is written
 */
function scenarioOf(seed) {
  const random = new Random(seed);
  const side = random.pick(['server', 'client']);
  const route = random.pick(['native', 'native', 'adopted', 'TLS']);
  const manner = random.pick(MANNERS);
  const parameters = random.oneIn(2) ? parametersOf(random) : null;
  const options = optionsOf(random, parameters !== null);
  const bytes = new Stream(random, side, parameters).bytes();

  return {
    seed,
    side,
    route,
    manner,
    options,
    parameters,
    chunks: cut(random, bytes)
  };
}

/** Of the peer's compression, and whether the other direction has a context. */
function parametersOf(random) {
  return {
    windowBits: random.pick([9, 10, 15, 15]),
    peerHasContext: !random.oneIn(3),
    ownHasContext: !random.oneIn(3)
  };
}

function optionsOf(random, compresses) {
  const options = { perMessageDeflate: compresses && { threshold: 0 } };

  if (random.oneIn(4)) options.maxPayload = random.pick([1, 60, 125, 4000]);
  if (random.oneIn(5)) options.maxFragments = 1 + random.below(4);
  if (random.oneIn(5)) options.skipUTF8Validation = true;
  if (random.oneIn(5)) options.allowSynchronousEvents = false;
  if (random.oneIn(8)) options.autoPong = false;
  return options;
}

/** Cuts the stream: not at all, or into up to forty chunks. */
function cut(random, bytes) {
  const count = random.oneIn(4) ? 0 : random.below(40);
  const places = Array.from({ length: count }, () =>
    random.below(bytes.length + 1)
  );
  const edges = [0, ...places.sort((one, other) => one - other), bytes.length];

  return edges
    .slice(1)
    .map((end, index) => bytes.subarray(edges[index], end))
    .filter((chunk) => chunk.length > 0);
}

module.exports = { scenarioOf };
