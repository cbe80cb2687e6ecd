'use strict';

const { withChildren } = require('../child');
const { usage } = require('../usage');

/**
 * @typedef {import('./peers').Peer} Peer
 */

/** The processes of a server, and a generator for each of them. */
class Fleet {
  /**
   * @param {Object[]} servers What listens, and its processes
   * @param {import('../child').Child[]} generators
   */
  constructor(servers, generators) {
    this._servers = servers;
    this._generators = generators;
    /** Of all processes that serve. */
    this.pids = servers.flatMap(({ pids }) => pids);
  }

  /** Has all servers do what a line says. */
  async tell(line) {
    await Promise.all(this._servers.map(({ child }) => child.ask(line)));
  }

  /** Opens connections, as many by each generator. */
  open(count) {
    const share = Math.floor(count / this._generators.length);
    const rest = count % this._generators.length;

    return this._ask((index) => `open ${share + Number(index < rest)}`);
  }

  /** What the generators have got since the last call. */
  count() {
    return this._ask(() => 'count');
  }

  /** Microseconds of CPU time that the servers have used. */
  get cpu() {
    return this.pids.reduce((sum, pid) => sum + usage(pid).all, 0);
  }

  async _ask(lineFor) {
    const lines = await Promise.all(
      this._generators.map((child, index) => child.ask(lineFor(index)))
    );

    return lines.map((line) => JSON.parse(line));
  }
}

/**
 * Starts servers and generators, which do not outlive `work`.
 *
 * @param {Peer} peer
 * @param {number} processes How many of either
 * @param {{ interval: number, window: number }} options
 * @param {string} load The generator
 * @param {function(Fleet): Promise<any>} work
 */
function withFleet(peer, processes, { interval, window }, load, work) {
  return withChildren(peer.servers(processes, interval), async (children) => {
    const servers = await Promise.all(
      children.map(async (child) => ({
        child,
        ...JSON.parse(await child.line())
      }))
    );
    const commands = Array.from({ length: processes }, (_, index) => ({
      file: load,
      args: [
        'crowd',
        `addresses=${addressesOf(index)}`,
        `port=${servers[index % servers.length].port}`,
        `window=${window}`
      ]
    }));

    return withChildren(commands, (generators) =>
      work(new Fleet(servers, generators))
    );
  });
}

/**
 * An address has some 28 000 ports for connections to one port, and when half of
 * them are taken the kernel looks through all of these first.
 */
function addressesOf(index) {
  const rest = `${index >> 8}.${(index % 256) + 1}`;

  return [0, 1, 2, 3].map((network) => `127.${network}.${rest}`).join();
}

module.exports = { withFleet };
