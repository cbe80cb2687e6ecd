'use strict';

// Topics over a cluster of Redis in which a slot, or a whole node, goes to another.

const { redisBackplane } = require('../../lib/backplanes');
const { onRelease } = require('../support/resources');
const { until } = require('../support/waiting');
const { RedisCluster } = require('./support/redis-cluster');
const libraries = require('./support/redis-cluster-clients');

const PREFIX = 'test:';

/** A topic that is heard, on the first node of a cluster. */
async function openOn(cluster, connect) {
  const backplane = redisBackplane({
    publisher: await connect(cluster),
    subscriber: await connect(cluster),
    prefix: PREFIX,
    sharded: true
  });
  const [channel] = await cluster.namesOn(PREFIX);
  const topic = channel.slice(PREFIX.length);
  const heard = [];
  const failed = [];
  const errors = [];
  let count = 0;

  backplane.start(
    (_, bytes) => heard.push(Number(bytes)),
    (err) => errors.push(err)
  );
  onRelease(() => backplane.close());
  await backplane.subscribe(topic);

  return {
    channel,
    heard,
    failed,
    errors,
    /** Publishes the next number. */
    async publish() {
      const number = count++;

      try {
        await backplane.publish(topic, Buffer.from(String(number)));
      } catch {
        failed.push(number);
      }

      return number;
    }
  };
}

/** Numbers that were not heard. */
function missing(heard, last) {
  const all = Array.from({ length: last + 1 }, (_, number) => number);

  return all.filter((number) => !heard.includes(number));
}

async function startCluster() {
  const cluster = await RedisCluster.start();

  onRelease(() => cluster.stop());
  return cluster;
}

describe.each(Object.entries(libraries))('by %s', (_, connect) => {
  test('a topic is heard on the node that its slot has moved to', async () => {
    const cluster = await startCluster();
    const [from, to] = cluster.nodes;
    const { channel, heard, failed, errors, publish } = await openOn(
      cluster,
      connect
    );

    const before = await publish();

    await until(() => heard.includes(before));
    await cluster.moveSlot(channel, from, to);
    await until(async () => {
      await publish();
      return (await to.call('PUBSUB', 'SHARDCHANNELS')).includes(channel);
    });
    expect(await from.call('PUBSUB', 'SHARDCHANNELS')).toEqual([]);

    const first = await publish();
    let last;

    for (let count = 0; count < 100; count++) last = await publish();
    await until(() => heard.includes(last));
    expect(missing(heard, last).filter((number) => number >= first)).toEqual(
      []
    );
    expect(heard).toEqual([...heard].sort((one, other) => one - other));
    expect([...failed, ...errors]).toEqual([]);
  });

  test('a topic is heard on the replica of its node, which has died', async () => {
    const cluster = await startCluster();
    const [node] = cluster.nodes;
    const replica = await cluster.replicate(node);
    const { channel, heard, failed, errors, publish } = await openOn(
      cluster,
      connect
    );
    const before = await publish();

    await until(() => heard.includes(before));
    await node.stop();
    await until(async () => {
      await publish();
      return (await replica.call('PUBSUB', 'SHARDCHANNELS')).includes(channel);
    });
    expect(failed.length).toBeGreaterThan(0);

    const after = await publish();

    // The publisher may be told of the replica later.
    await until(async () => {
      await publish();
      return heard.some((number) => number >= after);
    });

    const failedBefore = failed.length;
    const first = await publish();
    let last;

    for (let count = 0; count < 100; count++) last = await publish();
    await until(() => heard.includes(last));
    expect(missing(heard, last).filter((number) => number >= first)).toEqual(
      []
    );
    expect(failed.length).toBe(failedBefore);
    expect(errors).toEqual([]);
  });
});
