'use strict';

// Topics over a cluster of Redis, whose sharded channels are on several nodes.

const { once } = require('events');

const { redisBackplane } = require('../../lib/backplanes');
const slotOf = require('../../lib/backplanes/redis-slots');
const { Topics } = require('../../lib/extra');
const { serve } = require('../extra/support/audience');
const { onRelease } = require('../support/resources');
const { until } = require('../support/waiting');
const { RedisCluster } = require('./support/redis-cluster');
const libraries = require('./support/redis-cluster-clients');

const PREFIX = 'test:';
const MESSAGES = 300;

let cluster;

beforeAll(async () => (cluster = await RedisCluster.start()));
afterAll(() => cluster?.stop());

describe.each(Object.entries(libraries))('by %s', (_, connect) => {
  /** Topics, what becomes of what they publish, and their errors. */
  async function open() {
    const [publisher, subscriber] = [
      await connect(cluster),
      await connect(cluster)
    ];
    const backplane = redisBackplane({
      publisher,
      subscriber,
      prefix: PREFIX,
      sharded: true
    });
    const { publish } = backplane;
    const failed = [];
    const errors = [];

    backplane.publish = async (topic, bytes) => {
      try {
        await publish.call(backplane, topic, bytes);
      } catch (err) {
        failed.push(topic);
        throw err;
      }
    };

    const topics = new Topics({ backplane });

    topics.on('error', (err) => errors.push(err));
    onRelease(() => topics.close());
    return { topics, failed, errors };
  }

  /** Two that are subscribed to a topic on each node, one WebSocket each. */
  async function openPair() {
    const names = (await cluster.namesOn(PREFIX)).map((name) =>
      name.slice(PREFIX.length)
    );
    const { servers, clients } = await serve('native', 2);
    const [here, there] = [await open(), await open()];

    for (const name of names) {
      here.topics.subscribe(servers[0], name);
      there.topics.subscribe(servers[1], name);
    }
    await until(async () => {
      const subscribers = await Promise.all(
        cluster.nodes.map((node, index) =>
          node.call('PUBSUB', 'SHARDNUMSUB', PREFIX + names[index])
        )
      );

      return subscribers.every(([, count]) => count === 2);
    });
    return { names, here, there, servers, clients };
  }

  const textsOf = ({ received }, name) =>
    received.filter((text) => text.startsWith(`t${name} `));

  test('brings what is published on each node, in order and not back', async () => {
    const { names, here, there, clients } = await openPair();

    expect(
      await Promise.all(
        cluster.nodes.map((node) => node.call('PUBSUB', 'SHARDCHANNELS'))
      )
    ).toEqual(names.map((name) => [PREFIX + name]));

    for (let index = 0; index < MESSAGES; index++) {
      for (const name of names) {
        here.topics.publish(name, `${name} ${index}`);
        there.topics.publish(name, `${name} there ${index}`);
      }
    }
    await until(() =>
      clients.every(
        ({ received }) => received.length >= 2 * MESSAGES * names.length
      )
    );

    for (const client of clients) {
      for (const name of names) {
        const texts = textsOf(client, name);
        const isThere = (text) => text.includes('there');

        expect(texts.filter((text) => !isThere(text))).toEqual(
          Array.from({ length: MESSAGES }, (_, index) => `t${name} ${index}`)
        );
        expect(texts.filter(isThere)).toEqual(
          Array.from(
            { length: MESSAGES },
            (_, index) => `t${name} there ${index}`
          )
        );
      }
    }
    expect([...here.errors, ...there.errors]).toEqual([]);
  });

  test('goes on beside a node that has died, and with it once it is back', async () => {
    const { names, here, there, servers, clients } = await openPair();
    const [, lost] = names;
    const others = names.filter((name) => name !== lost);
    const [, dead] = cluster.nodes;
    let count = 0;

    /** On all nodes, until that is so. */
    async function publishUntil(isSo) {
      await until(() => {
        for (const name of names) here.topics.publish(name, `${name} ${count}`);
        count++;
        return isSo();
      });
    }

    await dead.stop();
    await publishUntil(() => here.failed.length >= 10);
    expect(new Set(here.failed)).toEqual(new Set([lost]));
    await until(() => here.errors.length === here.failed.length);
    for (const err of here.errors) expect(err).toBeInstanceOf(Error);
    await until(() =>
      others.every((name) => textsOf(clients[1], name).length === count)
    );
    for (const name of others) {
      expect(textsOf(clients[1], name)).toEqual(
        Array.from({ length: count }, (_, index) => `t${name} ${index}`)
      );
    }
    expect(textsOf(clients[1], lost)).toEqual([]);

    // Nobody was subscribed to this one, which lies on the dead node, too.
    const late = `{${PREFIX}${lost}}`;
    const [atOthers] = others;

    there.topics.subscribe(servers[1], late);
    await until(() => there.errors.length > 0);
    there.topics.subscribe(servers[1], `{${PREFIX}${atOthers}}`);
    await until(
      async () =>
        (
          await cluster.nodes[names.indexOf(atOthers)].call(
            'PUBSUB',
            'SHARDCHANNELS'
          )
        ).length === 2
    );

    await dead.start();
    names.push(late);
    await publishUntil(() =>
      [lost, late].every((name) => textsOf(clients[1], name).length > 0)
    );

    // From then on nothing is lost.
    const heard = textsOf(clients[1], lost).length;
    const published = Array.from(
      { length: MESSAGES },
      (_, index) => `${lost} again ${index}`
    );

    for (const text of published) here.topics.publish(lost, text);
    await until(() =>
      textsOf(clients[1], lost).includes(`t${published.at(-1)}`)
    );
    expect(
      textsOf(clients[1], lost)
        .slice(heard)
        .filter((text) => text.includes('again'))
    ).toEqual(published.map((text) => `t${text}`));
  });
});

test('what waits for a node that is away leaves room for the others', async () => {
  const publisher = await libraries.redis(cluster, {});
  const backplane = redisBackplane({
    publisher,
    subscriber: await libraries.redis(cluster),
    prefix: PREFIX,
    sharded: true,
    maxPending: 1000
  });
  const [, dead] = cluster.nodes;
  const [first, lost, last] = (await cluster.namesOn(PREFIX)).map((name) =>
    name.slice(PREFIX.length)
  );
  const long = Buffer.alloc(800);

  backplane.start(
    () => {},
    () => {}
  );
  onRelease(() => backplane.close());

  const noticed = once(publisher, 'node-reconnecting');

  await dead.stop();
  await noticed;

  const waiting = backplane.publish(lost, long);

  for (let count = 0; count < 3; count++) {
    await backplane.publish(first, long);
    await backplane.publish(last, long);
    await expect(backplane.publish(lost, long)).rejects.toThrow(
      'A message was not published: too much waits before it'
    );
  }
  await dead.start();
  await waiting;
  await backplane.publish(lost, long);
});

test.each([
  '',
  'a',
  '{a}',
  'x{a}y{b}',
  '{}a',
  'a{',
  '}a{b',
  '{a',
  'ü 🦀',
  '{ü}'
])('knows the slot of "%s"', async (channel) => {
  expect(slotOf(channel)).toBe(
    await cluster.nodes[0].call('CLUSTER', 'KEYSLOT', channel)
  );
});
