'use strict';

const fs = require('fs');

/** `USER_HZ` is 100 on all of Linux. */
const MICROSECONDS_A_TICK = 10_000;

/**
 * The CPU time of a process.
 *
 * @param {number} pid
 * @returns {{ all: number, main: number }} Microseconds of all threads, and of
 *     the first one
 */
function usage(pid) {
  const main = fs.readFileSync(`/proc/${pid}/schedstat`, 'latin1');
  // Threads that have ended count, too: a driver of oxws may.
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11);

  return {
    all: (Number(user) + Number(system)) * MICROSECONDS_A_TICK,
    main: parseInt(main, 10) / 1000
  };
}

/**
 * @param {number} pid
 * @returns {number} Bytes of memory the process has resident
 */
function resident(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');

  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)[1]) * 1024;
}

module.exports = { resident, usage };
