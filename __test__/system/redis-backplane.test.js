'use strict';

const { once } = require('events');

const Ioredis = require('ioredis');
const { createClient } = require('redis');

const { redisBackplane } = require('../../lib/backplanes');
const { describeSemantics } = require('../backplanes/support/semantics');
const { pair, reach } = require('../backplanes/support/station');
const { onRelease } = require('../support/resources');
const { until } = require('../support/waiting');
const { Redis } = require('./support/brokers');

let redis;

/** Clients of each library, and what they are asked for beside publishing. */
const libraries = {
  ioredis: {
    async connect() {
      const client = new Ioredis(redis.socket, {
        autoResendUnfulfilledCommands: false,
        retryStrategy: () => 10
      });

      client.on('error', () => {});
      onRelease(() => client.disconnect());
      await once(client, 'ready');
      return client;
    },
    send: (client, ...command) => client.call(...command)
  },
  redis: {
    async connect() {
      const client = createClient({
        socket: { path: redis.socket, reconnectStrategy: () => 10 }
      });

      client.on('error', () => {});
      onRelease(() => client.destroy());
      await client.connect();
      return client;
    },
    send: (client, ...command) => client.sendCommand(command)
  }
};

const rows = Object.keys(libraries).flatMap((name) =>
  [false, true].map((sharded) => ({ name, sharded }))
);

describe.each(rows)('by $name, sharded: $sharded', ({ name, sharded }) => {
  const { connect: dial, send } = libraries[name];

  beforeEach(async () => (redis = await Redis.start()));

  async function connect(options) {
    const [publisher, subscriber] = [await dial(), await dial()];
    const backplane = redisBackplane({
      publisher,
      subscriber,
      prefix: 'test:',
      sharded,
      ...options
    });

    return Object.assign(backplane, { publisher, subscriber });
  }

  describeSemantics(connect);

  test('goes on when the broker was started again', async () => {
    const [one, two] = await pair(connect);
    const said = [];
    const publish = () => {
      said.push(`a:${said.length}`);
      return one.publish('a', `${said.length - 1}`).catch(() => {});
    };

    for (let index = 0; index < 50; index++) publish();
    await two.hears('a:49');

    // Some of these are lost, and none comes twice.
    const lost = Array.from({ length: 50 }, publish);

    await redis.stop();
    for (let index = 0; index < 50; index++) lost.push(publish());
    await redis.start();
    await Promise.all(lost);
    await two.subscribe('b');
    await reach(one, two, 'a');
    await reach(two, one, 'a');
    await publish();
    await two.hears(said.at(-1));

    const heard = two.texts.filter((text) => !text.includes('probe'));

    expect(heard).toEqual(said.filter((text) => heard.includes(text)));
    await reach(one, two, 'b');
  });

  test('a topic that is asked for meanwhile is subscribed to', async () => {
    const [one, two] = await pair(connect);

    await redis.stop();

    const subscribed = two.subscribe('b').catch(() => {});

    await redis.start();
    await subscribed;
    await reach(one, two, 'b');
  });

  test('subscriptions that were killed are renewed', async () => {
    const [one, two] = await pair(connect);

    await send(one.backplane.publisher, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await reach(one, two, 'a');
    await reach(two, one, 'a');
    expect([...one.errors, ...two.errors]).toEqual([]);
  });

  test('a broker that stands still holds up nobody', async () => {
    const [one, two] = await pair(connect, { maxPending: 500_000 });

    redis.pause();

    const published = [];

    for (let index = 0; index < 7; index++) {
      published.push(
        one.backplane.publish('a', Buffer.alloc(100_000, `${index}`))
      );
    }

    const settled = Promise.allSettled(published);

    await expect(published[5]).rejects.toThrow(
      'A message was not published: too much waits before it'
    );
    redis.resume();
    expect((await settled).map(({ status }) => status)).toEqual([
      ...Array(5).fill('fulfilled'),
      'rejected',
      'rejected'
    ]);
    await one.publish('a', 'behind');
    await two.hears('a:behind');
    expect(
      two.received.map(([, bytes]) => bytes.toString('utf8', 0, 1)).join('')
    ).toBe('01234b');
  });

  test('leaves nothing behind in clients that stay open', async () => {
    const [one, two] = await pair(connect);
    const { subscriber } = two.backplane;
    const channels = () =>
      send(
        one.backplane.publisher,
        'PUBSUB',
        sharded ? 'SHARDCHANNELS' : 'CHANNELS'
      );

    await two.subscribe('b');
    expect([...(await channels())].sort()).toEqual(['test:a', 'test:b']);
    await Promise.all([one.close(), two.close()]);
    await until(async () => (await channels()).length === 0);
    expect(await subscriber.ping()).toBe('PONG');
    for (const event of ['messageBuffer', 'smessageBuffer', 'close']) {
      expect(subscriber.listenerCount(event)).toBe(0);
    }
  });

  test('ends though the broker does not answer', async () => {
    const [one] = await pair(connect);

    redis.pause();
    await one.close();
    redis.resume();
  });
});

test.each([
  ['publisher', {}, 'a client of ioredis or of redis'],
  ['subscriber', { publisher: client() }, 'a client of ioredis or of redis'],
  ['prefix', { publisher: client(), subscriber: client() }, 'a string'],
  [
    'maxPending',
    { publisher: client(), subscriber: client(), prefix: '', maxPending: -1 },
    'a number of bytes'
  ]
])('checks the option "%s"', (name, options, what) => {
  expect(() => redisBackplane(options)).toThrow(
    new TypeError(`The option "${name}" must be ${what}`)
  );
});

/** One that connects to nothing. */
function client() {
  return new Ioredis({ lazyConnect: true });
}
