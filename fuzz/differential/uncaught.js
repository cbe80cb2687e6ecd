'use strict';

const path = require('path');

const WS = path.dirname(require.resolve('ws'));

/** Who waits for an exception inside ws. */
const waiting = new Set();

/**
 * From here on what is thrown inside ws ends the plays of ws, not the process.
 * Whose it is cannot be told, so that it ends all that are under way.
 */
function surviveExceptionsOfWs() {
  process.on('uncaughtException', (err) => {
    if (!err.stack.includes(path.join(WS, 'lib'))) {
      console.error(err);
      process.exit(1);
    }
    for (const resolve of waiting) resolve(err);
    waiting.clear();
  });
}

/** Runs `play(uncaught)`: `uncaught` is a promise of what ws throws meanwhile. */
async function isolated(library, play) {
  if (library !== require('ws')) return play(new Promise(() => {}));

  let onUncaught;
  const uncaught = new Promise((resolve) => (onUncaught = resolve));

  waiting.add(onUncaught);
  try {
    return await play(uncaught);
  } finally {
    waiting.delete(onUncaught);
  }
}

module.exports = { isolated, surviveExceptionsOfWs };
