'use strict';

const { monitorEventLoopDelay } = require('perf_hooks');

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 10;

/** Counts events, and makes rates of them. */
class Statistics {
  #totals = {
    opened: 0,
    closed: 0,
    failed: 0,
    received: 0,
    sent: 0,
    bytesReceived: 0
  };
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  #before = {
    ...this.#totals,
    time: performance.now(),
    cpu: process.cpuUsage()
  };

  constructor() {
    this.#delay.enable();
    /** The last figures that were taken. */
    this.latest = this.take([]);
  }

  count(name, amount = 1) {
    this.#totals[name] += amount;
  }

  /**
   * The figures since the last call.
   *
   * @param {Iterable<WebSocket>} clients
   */
  take(clients) {
    const before = this.#before;
    const time = performance.now();
    const seconds = (time - before.time) / 1000 || 1;
    const { user, system } = process.cpuUsage(before.cpu);
    const rate = (name) => (this.#totals[name] - before[name]) / seconds;
    let connections = 0;
    let waiting = 0;

    for (const ws of clients) {
      connections++;
      waiting += ws.bufferedAmount;
    }
    this.latest = {
      connections,
      waiting,
      opened: rate('opened'),
      received: rate('received'),
      sent: rate('sent'),
      bytesReceived: rate('bytesReceived'),
      cpu: (user + system) / 1e6 / seconds,
      memory: process.memoryUsage.rss(),
      // By how many milliseconds the event loop is late, in 99 of 100 cases.
      delay: Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION),
      uptime: process.uptime(),
      totals: { ...this.#totals }
    };
    this.#delay.reset();
    this.#before = { ...this.#totals, time, cpu: process.cpuUsage() };

    return this.latest;
  }
}

module.exports = { Statistics };
