'use strict';

const { monitorEventLoopDelay } = require('perf_hooks');
const { stats } = require('oxws/extra');

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 10;

/** Makes rates of what a server has counted. */
class Statistics {
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  #server;
  #before;

  /** @param {WebSocketServer} server */
  constructor(server) {
    this.#server = server;
    this.#before = this.#look();
    this.#delay.enable();
    /** The last figures that were taken. */
    this.latest = this.take();
  }

  #look() {
    return {
      ...stats(this.#server),
      time: performance.now(),
      cpu: process.cpuUsage()
    };
  }

  /** The figures since the last call. */
  take() {
    const before = this.#before;
    const now = this.#look();
    const seconds = (now.time - before.time) / 1000 || 1;
    const { user, system } = process.cpuUsage(before.cpu);
    const rate = (name) => (now[name] - before[name]) / seconds;

    this.latest = {
      connections: now.connections,
      waiting: now.bytesBuffered,
      opened: rate('accepted'),
      received: rate('messagesReceived'),
      sent: rate('messagesSent'),
      bytesReceived: rate('bytesReceived'),
      cpu: (user + system) / 1e6 / seconds,
      memory: process.memoryUsage.rss(),
      // By how many milliseconds the event loop is late, in 99 of 100 cases.
      delay: Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION),
      uptime: process.uptime(),
      totals: {
        opened: now.accepted,
        received: now.messagesReceived,
        sent: now.messagesSent,
        closed: now.closed
      }
    };
    this.#delay.reset();
    this.#before = now;

    return this.latest;
  }
}

module.exports = { Statistics };
