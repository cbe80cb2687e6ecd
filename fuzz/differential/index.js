'use strict';

const { isDeepStrictEqual } = require('util');

/**
 * What is compared, by name. Each has `scenarioOf(seed)`, `play(library,
 * scenario, quiet)` and `DECISIONS`: what may differ, and why.
 */
const KINDS = Object.fromEntries(
  ['frames', 'handshakes', 'negotiations'].map((name) => [
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
const PATIENCE = [10, 50, 250, 1500];

/**
 * Plays the scenario of a seed with both libraries.
 *
 * @returns {Promise<{ seed, scenario, decision, ws, oxws }>} `decision` is '' if
 *     they do the same, else why they may differ, null if they may not
 */
async function differ(kind, ws, oxws, seed) {
  const { scenarioOf, play, DECISIONS } = KINDS[kind];
  const scenario = scenarioOf(seed);
  let result;

  for (const quiet of PATIENCE) {
    const [one, other] = await Promise.all([
      play(ws, scenario, quiet),
      play(oxws, scenario, quiet)
    ]);

    result = { seed, scenario, ws: one, oxws: other };
    result.decision = decide(DECISIONS, one, other);
    if (result.decision !== null) break;
  }
  return result;
}

function decide(decisions, ws, oxws) {
  if (isDeepStrictEqual(ws, oxws)) return '';

  const decision = decisions.find(([, holds]) => holds(ws, oxws));

  return decision === undefined ? null : decision[0];
}

module.exports = { KINDS, differ };
