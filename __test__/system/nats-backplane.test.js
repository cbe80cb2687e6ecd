'use strict';

const { connect: dial } = require('nats');

const { natsBackplane } = require('../../lib/backplanes');
const { describeSemantics } = require('../backplanes/support/semantics');
const { pair, reach } = require('../backplanes/support/station');
const { onRelease } = require('../support/resources');
const { Nats } = require('./support/brokers');

let nats;

beforeEach(async () => (nats = await Nats.start()));

async function connect(options) {
  const connection = await dial({
    servers: nats.url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 10,
    reconnectJitter: 0
  });

  onRelease(() => connection.close());
  return Object.assign(
    natsBackplane({ connection, prefix: 'test.chat', ...options }),
    { connection }
  );
}

describeSemantics(connect);

test('goes on when the broker was started again', async () => {
  const [one, two] = await pair(connect);

  for (let index = 0; index < 50; index++) one.publish('a', `${index}`);
  await two.hears('a:49');
  await nats.stop();
  for (let index = 50; index < 100; index++) one.publish('a', `${index}`);

  const subscribed = two.subscribe('b');

  await nats.start();
  await subscribed;
  await reach(one, two, 'a');
  await reach(two, one, 'a');
  await reach(one, two, 'b');

  const numbers = two.texts.filter(
    (text) => /\d$/.test(text) && !/probe/.test(text)
  );

  // None came twice, or out of order.
  expect(numbers).toEqual(
    Array.from({ length: 100 }, (_, index) => `a:${index}`).filter((text) =>
      numbers.includes(text)
    )
  );
  // What was published meanwhile is lost, and that is told.
  expect(one.errors[0]).toBe(
    'Messages were lost with the connection to the broker'
  );
});

test('a broker that stands still holds up nobody', async () => {
  const [one, two] = await pair(connect, { maxPending: 500_000 });

  nats.pause();
  for (let index = 0; index < 5; index++) {
    await one.backplane.publish('a', Buffer.alloc(100_000, `${index}`));
  }
  await expect(one.publish('a', Buffer.alloc(100_000))).rejects.toThrow(
    'A message was not published: too much waits before it'
  );
  nats.resume();
  await two.until(() => two.received.length === 5);
  await reach(one, two, 'a');
  expect(
    two.received.map(([, bytes]) => bytes.toString('utf8', 0, 1)).join('')
  ).toMatch(/^01234p+$/);
});

test('leaves nothing behind in a connection that stays open', async () => {
  const [one, two] = await pair(connect);
  const { connection } = two.backplane;

  await two.close();
  await one.publish('a', 'text');
  await Promise.all([one.backplane.connection.flush(), connection.flush()]);
  expect(two.received).toEqual([]);
  expect(connection.isClosed()).toBe(false);
  await one.backplane.connection.close();
  await expect(one.subscribe('b')).rejects.toThrow();
});

test.each([
  ['connection', { connection: {} }, 'one of nats'],
  ...['', 'a..b', 'a.*', '>', 'a b', undefined].map((prefix) => [
    'prefix',
    { prefix },
    'a subject without wildcards'
  ]),
  ['maxPending', { maxPending: NaN }, 'a number of bytes']
])('checks the option "%s"', async (name, options, what) => {
  await expect(connect(options)).rejects.toThrow(
    new TypeError(`The option "${name}" must be ${what}`)
  );
});
