'use strict';

const { once } = require('events');

const { Cluster } = require('ioredis');
const { createCluster } = require('redis');

const { onRelease } = require('../../support/resources');

/**
 * Clients of each library for a cluster, which report at once what a node cannot
 * be told.
 */
const libraries = {
  async ioredis({ nodes }) {
    const client = new Cluster(
      nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { shardedSubscribers: true, retryDelayOnFailover: 0 }
    );

    client.on('error', () => {});
    onRelease(async () => {
      const ended = once(client, 'end');

      client.disconnect();
      await ended;
    });
    await once(client, 'ready');
    return client;
  },
  async redis({ nodes }, options = { disableOfflineQueue: true }) {
    const client = createCluster({
      rootNodes: nodes.map(({ port }) => ({
        socket: { host: '127.0.0.1', port }
      })),
      defaults: { ...options, socket: { reconnectStrategy: () => 10 } }
    });

    client.on('error', () => {});
    onRelease(() => client.destroy());
    return client.connect();
  }
};

module.exports = libraries;
