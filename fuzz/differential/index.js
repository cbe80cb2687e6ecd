'use strict';

const { compare } = require('./compare');
const { play } = require('./play');
const { scenarioOf } = require('./scenario');

/**
 * How long a peer waits for news, in milliseconds. ws inflates beside the event
 * loop: what it had not done when FIN came it does otherwise. A difference
 * counts if patience does not mend it.
 */
const PATIENCE = [10, 50, 250];

/**
 * Plays the scenario of a seed with both libraries.
 *
 * @returns {Promise<{ seed, scenario, decision, ws, oxws }>} `decision` is '' if
 *     they do the same, null if they differ and should not
 */
async function differ(ws, oxws, seed) {
  const scenario = scenarioOf(seed);
  let result;

  for (const quiet of PATIENCE) {
    const [one, other] = await Promise.all([
      play(ws, scenario, quiet),
      play(oxws, scenario, quiet)
    ]);

    result = { seed, scenario, ws: one, oxws: other };
    result.decision = compare(one, other);
    if (result.decision !== null) break;
  }
  return result;
}

module.exports = { differ };
