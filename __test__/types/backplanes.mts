// What oxws/backplanes has, as an ES module.

import {
  Backplane,
  machineBackplane,
  natsBackplane,
  redisBackplane,
  threadBackplane
} from 'oxws/backplanes';
import * as backplanes from 'oxws/backplanes';
import functions from 'oxws/backplanes';
import { Topics } from 'oxws/extra';

declare const redis: backplanes.IoredisClient;
declare const connection: backplanes.NatsConnection;

export const all: Backplane[] = [
  redisBackplane({ publisher: redis, subscriber: redis, prefix: 'chat:' }),
  natsBackplane({ connection, prefix: 'chat', maxPending: 1024 }),
  machineBackplane({ path: '/run/chat', maxPending: 1024 }),
  threadBackplane({ name: 'chat' }),
  functions.threadBackplane({ name: 'chat' })
];

export const topics = all.map((backplane) => new Topics({ backplane }));

// @ts-expect-error: it needs a prefix.
redisBackplane({ publisher: redis, subscriber: redis });
// @ts-expect-error: that is no client.
redisBackplane({ publisher: {}, subscriber: redis, prefix: '' });
// @ts-expect-error: a name is wrong.
threadBackplane({ path: 'chat' });
