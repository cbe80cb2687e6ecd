'use strict';

const Random = require('../../../__test__/support/random');

/** What a step of a program waits for. */
const TRIGGERS = [
  'open',
  'open',
  'message',
  'message',
  'message',
  'ping',
  'pong',
  'sent',
  'later'
];

/** When a call is made after that. */
const TIMES = ['now', 'now', 'now', 'tick', 'microtask', 'immediate'];

/** The calls of the WebSocket that is compared, common ones more than once. */
const SUBJECT_CALLS = [
  ...Array(4).fill('send'),
  'sendFragments',
  'sendMany',
  'sendCorked',
  'ping',
  'pong',
  'close',
  'terminate',
  'pause',
  'resume',
  'setBinaryType',
  'pauseSocket',
  'resumeSocket',
  'destroySocket',
  'endSocket',
  'listenOnce',
  'listenAsTarget',
  'read'
];

/** Those of its peer, which is always ws. */
const PEER_CALLS = [
  ...Array(4).fill('send'),
  'sendFragments',
  'sendMany',
  'ping',
  'ping',
  'close',
  'terminate',
  'writeRaw'
];

/** After these little happens. */
const RARE = ['close', 'terminate', 'destroySocket', 'endSocket', 'writeRaw'];

const LOSSY = ['terminate', 'destroySocket'];

const LENGTHS = [0, 1, 5, 60, 125, 126, 200, 5000, 70000];
const TYPES = ['Buffer', 'ArrayBuffer', 'Uint8Array', 'DataView'];
const CODES = [undefined, 1000, 1001, 3000, 4999, 1005, 999];

/**
 * A scenario that follows from its seed: a WebSocket and its peer, each with a
 * program, which is a list of steps `{ trigger, nth, calls }`.
 *
 * @returns {{ seed, side, route, options, peerOptions, subject, peer }}
 */
function scenarioOf(seed) {
  const random = new Random(seed);
  const route = random.pick(['native', 'adopted', 'TLS']);

  return {
    seed,
    route,
    side: random.pick(['server', 'client']),
    options: optionsOf(random),
    peerOptions: { perMessageDeflate: false, closeTimeout: CLOSE_TIMEOUT },
    subject: programOf(random, route, SUBJECT_CALLS, 6),
    peer: programOf(random, route, PEER_CALLS, 4)
  };
}

/** Milliseconds: a WebSocket whose peer is silent closes after them. */
const CLOSE_TIMEOUT = 400;

function optionsOf(random) {
  const options = { perMessageDeflate: false, closeTimeout: CLOSE_TIMEOUT };

  if (random.oneIn(5)) options.allowSynchronousEvents = false;
  if (random.oneIn(8)) options.autoPong = false;

  return options;
}

function programOf(random, route, calls, most) {
  const steps = Array.from({ length: 1 + random.below(most) }, () => ({
    trigger: random.pick(TRIGGERS),
    nth: random.below(3),
    calls: Array.from({ length: 1 + random.below(3) }, () =>
      callOf(random, route, calls)
    )
  }));

  if (!steps.some(({ trigger }) => trigger === 'open')) {
    Object.assign(steps[0], { trigger: 'open', nth: 0 });
  }

  return steps;
}

function callOf(random, route, calls) {
  const name = random.pick(calls);
  const time = random.pick(TIMES);

  if (RARE.includes(name) && !random.oneIn(3)) {
    return callOf(random, route, calls);
  }

  return {
    // While Node's TLS reads, it does not write: what was sent is lost if the
    // socket is destroyed in the same turn, and with oxws it has left.
    time: route === 'TLS' && LOSSY.includes(name) ? 'immediate' : time,
    name,
    data: {
      type: random.oneIn(2) ? 'string' : random.pick(TYPES),
      length: random.pick(LENGTHS)
    },
    binary: random.oneIn(4) ? true : undefined,
    hasCallback: random.oneIn(2),
    number: random.below(1000),
    code: random.pick(CODES)
  };
}

module.exports = { scenarioOf };
