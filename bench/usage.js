'use strict';

const fs = require('fs');

/**
 * The CPU time of a process.
 *
 * @param {number} pid
 * @returns {{ all: number, main: number }} Microseconds of all threads, and of
 *     the first one
 */
function usage(pid) {
  const tasks = `/proc/${pid}/task`;
  const times = { all: 0, main: 0 };

  for (const task of fs.readdirSync(tasks)) {
    const text = fs.readFileSync(`${tasks}/${task}/schedstat`, 'latin1');
    const time = parseInt(text, 10) / 1000;

    times.all += time;
    if (Number(task) === pid) times.main = time;
  }

  return times;
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
