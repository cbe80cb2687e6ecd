'use strict';

/** What a user's listener does besides: keeps the thread for so long. */
module.exports = function work(microseconds) {
  const end = performance.now() + microseconds / 1000;

  while (performance.now() < end);
};
