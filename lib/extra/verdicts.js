'use strict';

/** What a look for signs of life found, as in `src/engine/connection/liveness.rs`. */
module.exports = Object.freeze({
  ALIVE: 0,
  /** It is to be pinged now. */
  SILENT: 1,
  /** A ping was not answered in time. */
  DEAD: 2
});
