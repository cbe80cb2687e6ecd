'use strict';

/**
 * @typedef {import('./measure').Run} Run
 *
 * @typedef {Object} Result A run, or why there is none
 * @property {string} scenario
 * @property {string} peer
 * @property {number} round
 * @property {Run} [run]
 * @property {string} [error]
 *
 * @typedef {Object} Ratio To ws in the same round
 * @property {number} median
 * @property {number} low
 * @property {number} high
 *
 * @typedef {Object} Row What the rounds of a scenario and peer have in common
 * @property {string} scenario
 * @property {string} peer
 * @property {string} [error] Why a round failed
 * @property {Run} [median] Of each figure for itself
 * @property {Object<string, Ratio>} [ratios] By figure
 */

/** The peer that all are compared with. */
const BASE = 'ws';

/** The figures that are compared. */
const COMPARED = ['rate', 'cpu', 'main', 'untouched', 'touched'];

/**
 * @param {Result[]} results Of one scenario
 * @returns {Row[]} One for each peer, in the order of the first round
 */
function summarise(results) {
  const base = new Map(
    results
      .filter(({ peer, run }) => peer === BASE && run !== undefined)
      .map(({ round, run }) => [round, run])
  );

  return [...new Set(results.map(({ peer }) => peer))].map((peer) => {
    const own = results.filter((result) => result.peer === peer);
    const { scenario } = own[0];
    const error = own.find((result) => result.error !== undefined)?.error;

    if (error !== undefined) return { scenario, peer, error };

    const figures = Object.keys(own[0].run);
    const median = Object.fromEntries(
      figures.map((key) => [key, middle(own.map(({ run }) => run[key]))])
    );
    const ratios = Object.fromEntries(
      COMPARED.filter((key) => figures.includes(key)).flatMap((key) => {
        const all = own
          .filter(({ round }) => base.has(round))
          .map(({ round, run }) => run[key] / base.get(round)[key]);

        return all.length === 0 ? [] : [[key, spread(all)]];
      })
    );

    return { scenario, peer, median, ratios };
  });
}

function spread(values) {
  return {
    median: middle(values),
    low: Math.min(...values),
    high: Math.max(...values)
  };
}

function middle(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;

  return sorted.length % 2 === 1
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

module.exports = { BASE, summarise };
