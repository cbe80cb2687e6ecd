'use strict';

/**
 * The circles in a graph, one for each group of names that reach each other.
 *
 * @param {Map<string, Map<string, *>>} graph By name, the names it leads to
 * @return {Array<Array<string>>} The first name of each comes again at its end
 */
function findCycles(graph) {
  const cycles = [];
  const done = new Set();

  for (const start of graph.keys()) {
    if (done.has(start)) continue;

    const cycle = pathTo(graph, start, start);

    if (cycle === null) continue;
    cycle.forEach((name) => done.add(name));
    cycles.push(cycle);
  }

  return cycles;
}

/** The shortest way from one name to another one. */
function pathTo(graph, from, to) {
  const ways = [[from]];
  const seen = new Set();

  for (const way of ways) {
    for (const next of graph.get(way.at(-1))?.keys() ?? []) {
      if (next === to) return way.concat(next);
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push(way.concat(next));
    }
  }

  return null;
}

module.exports = { findCycles };
