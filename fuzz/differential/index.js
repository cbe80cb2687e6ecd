'use strict';

const { isDeepStrictEqual } = require('util');

/**
 * What is compared, by name. Each has `scenarioOf(seed)`, `play(library,
 * scenario, quiet)` and `DECISIONS`: what may differ, and why; some have a
 * `PATIENCE` of their own.
 */
const KINDS = Object.fromEntries(
  ['calls', 'frames', 'handshakes', 'negotiations'].map((name) => [
    name,
    {
      ...require(`./${name}/scenario`),
      ...require(`./${name}/play`),
      ...require(`./${name}/compare`)
    }
  ])
);

/**
 * How long a peer waits for news, in milliseconds. ws inflates beside the event
 * loop: what it had not done when FIN came it does otherwise. A difference
 * counts if patience does not mend it.
 */
const WAITS = [10, 50, 250, 1500];

/**
 * Plays the scenario of a seed with both libraries.
 *
 * @returns {Promise<{ seed, scenario, decision, ws, oxws }>} `decision` is '' if
 *     they do the same, else why they may differ, null if they may not
 */
async function differ(kind, ws, oxws, seed) {
  const { scenarioOf, play, DECISIONS, PATIENCE = WAITS } = KINDS[kind];
  const scenario = scenarioOf(seed);
  const plays = { ws: [], oxws: [] };
  let result;

  for (const quiet of PATIENCE) {
    const [one, other] = await Promise.all([
      play(ws, scenario, quiet),
      play(oxws, scenario, quiet)
    ]);

    plays.ws.push(one);
    plays.oxws.push(other);
    result = {
      seed,
      scenario,
      decision: decide(DECISIONS, plays),
      ws: one,
      oxws: other
    };
    if (result.decision !== null) break;
  }

  return result;
}

/** What two of the plays say that are alike, or as alike as decided. */
function decide(decisions, { ws, oxws }) {
  const pairs = ws.flatMap((one) => oxws.map((other) => [one, other]));

  if (pairs.some((pair) => isDeepStrictEqual(...pair))) return '';

  const decision = decisions.find(([, holds]) =>
    pairs.some((pair) => holds(...pair))
  );

  return decision === undefined ? null : decision[0];
}

module.exports = { KINDS, differ };
