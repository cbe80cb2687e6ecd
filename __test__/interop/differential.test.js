'use strict';

const { differ } = require('../../fuzz/differential');
const { oxws, ws } = require('../support/implementations');

/** An error behind compressed messages may end the process inside ws. */
const HARD_ON_WS = [
  3, 15, 18, 24, 27, 29, 31, 43, 49, 75, 79, 85, 91, 104, 109, 111, 113, 120,
  125
];
const SEEDS = Array.from({ length: 130 }, (_, index) => 1 + index).filter(
  (seed) => !HARD_ON_WS.includes(seed)
);
const LANES = 8;

test.each(['frames', 'handshakes', 'negotiations'])(
  'random %s mean what they mean to ws',
  async (kind) => {
    const seeds = SEEDS.values();
    const differing = [];

    const lane = async () => {
      for (const seed of seeds) {
        const result = await differ(kind, ws, oxws, seed);

        if (result.decision === null) differing.push(result);
      }
    };

    await Promise.all(Array.from({ length: LANES }, lane));
    expect(differing).toEqual([]);
  }
);
