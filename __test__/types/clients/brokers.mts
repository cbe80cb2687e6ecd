// The clients of brokers are what oxws/backplanes takes.

import { Cluster, Redis } from 'ioredis';
import { connect } from 'nats';
import { createClient, createCluster } from 'redis';

import { Backplane, natsBackplane, redisBackplane } from 'oxws/backplanes';

export const all: Backplane[] = [
  redisBackplane({
    publisher: new Redis(),
    subscriber: new Redis(),
    prefix: 'chat:'
  }),
  redisBackplane({
    publisher: new Cluster([]),
    subscriber: new Cluster([]),
    prefix: 'chat:',
    sharded: true,
    maxPending: 1024
  }),
  redisBackplane({
    publisher: createClient(),
    subscriber: createClient({ RESP: 3 }),
    prefix: 'chat:'
  }),
  redisBackplane({
    publisher: createCluster({ rootNodes: [] }),
    subscriber: createCluster({ rootNodes: [] }),
    prefix: 'chat:',
    sharded: true
  }),
  natsBackplane({ connection: await connect(), prefix: 'chat' })
];
