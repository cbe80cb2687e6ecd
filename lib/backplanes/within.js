'use strict';

/** Waits for a promise, but no longer than that. */
async function within(milliseconds, promise) {
  let timer;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });

  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = within;
