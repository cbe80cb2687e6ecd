'use strict';

/** In what oxws differs from ws on purpose: `[why, holds(ws, oxws)]`. */
const DECISIONS = [];

module.exports = { DECISIONS };
