'use strict';

const { monitorEventLoopDelay } = require('perf_hooks');

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
  #delay = monitorEventLoopDelay({ resolution: 10 });
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
      // Nanoseconds; what setInterval() is late by in 99 of 100 cases.
      delay: this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 : 0,
      uptime: process.uptime(),
      totals: { ...this.#totals }
    };
    this.#delay.reset();
    this.#before = { ...this.#totals, time, cpu: process.cpuUsage() };

    return this.latest;
  }
}

module.exports = { Statistics };
