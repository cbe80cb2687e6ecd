'use strict';

const { once } = require('events');
const fs = require('fs');
const net = require('net');
const os = require('os');
const path = require('path');

const Ioredis = require('ioredis');

const { until } = require('../../support/waiting');
const { Broker } = require('./brokers');

/** How often ports are asked for: another may have taken one before its node does. */
const ATTEMPTS = 5;

/** The slots of each node, first and last. */
const SLOTS = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383]
];

/** One of a cluster. It has the same address again when it is started again. */
class Node extends Broker {
  async choosePorts() {
    const servers = [net.createServer(), net.createServer()];

    for (const server of servers) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    [this.port, this.busPort] = servers.map((server) => server.address().port);
    for (const server of servers) {
      server.close();
      await once(server, 'close');
    }
  }

  command() {
    return {
      program: 'redis-server',
      args: [
        ...['--bind', '127.0.0.1', '--port', `${this.port}`],
        ...['--cluster-enabled', 'yes', '--cluster-port', `${this.busPort}`],
        ...['--cluster-node-timeout', '1000'],
        ...['--save', '', '--dir', this.directory]
      ],
      isReady: (said) => said.includes('Ready to accept connections')
    };
  }

  async startAnywhere() {
    for (let attempt = 1; ; attempt++) {
      await this.choosePorts();
      try {
        return await this.start();
      } catch (err) {
        if (attempt === ATTEMPTS) throw err;
      }
    }
  }

  /** Asks this node itself. */
  async call(...command) {
    const client = new Ioredis({ host: '127.0.0.1', port: this.port });

    try {
      return await client.call(...command);
    } finally {
      client.disconnect();
    }
  }
}

/** Three nodes, which share the slots, and replicas where they are asked for. */
class RedisCluster {
  /** @return {Promise<RedisCluster>} That is to be stopped in the end */
  static async start() {
    const cluster = new this();

    try {
      await cluster.start();
    } catch (err) {
      await cluster.stop();
      throw err;
    }
    return cluster;
  }

  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-cluster-'));

  nodes = SLOTS.map((_, index) => {
    const directory = path.join(this.directory, `${index}`);

    fs.mkdirSync(directory);
    return new Node(directory);
  });

  async start() {
    const [first, ...others] = this.nodes;

    await Promise.all(
      this.nodes.map(async (node, index) => {
        await node.startAnywhere();
        await node.call('CLUSTER', 'ADDSLOTSRANGE', ...SLOTS[index]);
        await node.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      })
    );
    for (const { port, busPort } of others) {
      await first.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
    }
    await until(async () => {
      const infos = await Promise.all(
        this.nodes.map((node) => node.call('CLUSTER', 'INFO'))
      );

      return infos.every(
        (info) =>
          info.includes('cluster_state:ok') &&
          info.includes('cluster_known_nodes:3')
      );
    });
  }

  /** Names with this prefix, one of a slot of each node. */
  async namesOn(prefix) {
    const names = [];

    for (let count = 0; Object.keys(names).length < SLOTS.length; count++) {
      const slot = await this.nodes[0].call(
        'CLUSTER',
        'KEYSLOT',
        `${prefix}${count}`
      );

      names[SLOTS.findIndex(([, last]) => slot <= last)] ??=
        `${prefix}${count}`;
    }
    return names;
  }

  /** Gives the slot of a channel to another node. */
  async moveSlot(channel, from, to) {
    const slot = await from.call('CLUSTER', 'KEYSLOT', channel);
    const own = await from.call('CLUSTER', 'MYID');
    const other = await to.call('CLUSTER', 'MYID');

    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', own);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', other);
    for (const node of new Set([to, from, ...this.nodes])) {
      await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', other);
    }
  }

  /** @return {Promise<Node>} A replica of `node`, which all others know */
  async replicate(node) {
    const directory = path.join(this.directory, `${this.nodes.length}`);
    const replica = new Node(directory);
    const id = await node.call('CLUSTER', 'MYID');
    const isKnown = async (other) =>
      (await other.call('CLUSTER', 'REPLICAS', id)).length === 1;

    fs.mkdirSync(directory);
    await replica.startAnywhere();
    await replica.call('CLUSTER', 'MEET', '127.0.0.1', node.port, node.busPort);
    // It has to know the node first.
    await until(async () =>
      (await replica.call('CLUSTER', 'NODES')).includes(id)
    );
    await replica.call('CLUSTER', 'REPLICATE', id);
    await until(async () => {
      const info = await replica.call('INFO', 'replication');
      const known = await Promise.all(this.nodes.map(isKnown));

      return info.includes('master_link_status:up') && !known.includes(false);
    });
    this.nodes.push(replica);
    return replica;
  }

  async stop() {
    for (const node of this.nodes) if (node.process) await node.stop();
    fs.rmSync(this.directory, { recursive: true });
  }
}

module.exports = { RedisCluster };
