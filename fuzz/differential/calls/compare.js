'use strict';

/** In what oxws differs from ws on purpose: `[why, holds(ws, oxws)]`. */
const DECISIONS = [];

/**
 * Two ends that do something at once do not always do it in the same order: a
 * difference counts if no play of one is like any of the other.
 */
const PATIENCE = [12, 30, 30, 30, 80, 80, 80, 80, 80];

module.exports = { DECISIONS, PATIENCE };
