'use strict';

const fs = require('fs');
const { setTimeout: sleep } = require('timers/promises');

/** Looks at memory and descriptors while something goes on. */
class Meter {
  #samples = [];
  #timer;
  #descriptors = descriptors();

  constructor(seconds) {
    this.#timer = setInterval(
      () => this.#samples.push(process.memoryUsage.rss()),
      Math.max(50, seconds * 5)
    );
  }

  /**
   * Waits for what is being closed.
   *
   * @returns {Promise<{ rss: number[], descriptors: number[] }>} medians of the
   *     four quarters of the time in MiB, and after all is over; descriptors
   *     before and after
   */
  async end() {
    clearInterval(this.#timer);

    const before = this.#descriptors;

    for (let i = 0; i < 2000 && descriptors() > before; i++) await sleep(5);

    const size = Math.ceil(this.#samples.length / 4);
    const quarters = [0, 1, 2, 3].map((quarter) =>
      median(this.#samples.slice(quarter * size, (quarter + 1) * size))
    );

    global.gc();
    await sleep(50);
    global.gc();
    return {
      rss: [...quarters, process.memoryUsage.rss()].map((bytes) =>
        Math.round(bytes / (1 << 20))
      ),
      descriptors: [before, descriptors()]
    };
  }
}

function median(numbers) {
  return numbers.sort((one, other) => one - other)[numbers.length >> 1];
}

/** Open ones; without /proc nobody knows. */
function descriptors() {
  return process.platform === 'linux'
    ? fs.readdirSync('/proc/self/fd').length
    : 0;
}

module.exports = Meter;
