'use strict';

const { once } = require('events');

const { Topics } = require('../../lib/extra');
const { serve, allArrived } = require('./support/audience');

/** What brings bytes from one to all others in this process, and itself. */
class Hub {
  constructor() {
    this.backplanes = [];
    this.calls = [];
  }

  /** @param {Promise} [started] Settles when it has. */
  connect(started) {
    const topics = new Set();
    const note = (...call) => this.calls.push(call.join(' '));
    const backplane = {
      deliver: null,
      fail: null,
      topics,
      start: async (deliver, fail) => {
        await started;
        backplane.deliver = deliver;
        backplane.fail = fail;
      },
      subscribe: async (topic) => {
        topics.add(topic);
        note('subscribe', topic);
      },
      unsubscribe: (topic) => {
        topics.delete(topic);
        note('unsubscribe', topic);
      },
      publish: (topic, bytes) => {
        note('publish', topic);
        for (const other of this.backplanes) {
          if (other.topics.has(topic)) other.deliver(topic, bytes);
        }
      },
      close: async () => {
        await new Promise(setImmediate);
        note('close');
      }
    };

    this.backplanes.push(backplane);
    return backplane;
  }
}

const turn = () => new Promise(setImmediate);

test('brings to others what is published, once', async () => {
  const { servers, clients } = await serve('native', 4);
  const hub = new Hub();
  const here = new Topics({ backplane: hub.connect() });
  const there = new Topics({ backplane: hub.connect() });

  here.subscribe(servers[0], 'a');
  here.subscribe(servers[1], 'a');
  there.subscribe(servers[2], 'a');
  there.subscribe(servers[3], 'b');
  await turn();
  expect(here.publish('a', 'text', { except: servers[0] })).toBe(1);
  expect(here.publish('b', Buffer.from('bytes'))).toBe(0);
  expect(there.publish('a', '', { compress: false })).toBe(1);
  expect(there.publish('c', 'nobody')).toBe(0);
  await turn();
  await allArrived(servers, clients);
  expect(clients.map(({ received }) => received)).toEqual([
    ['t'],
    ['ttext', 't'],
    ['ttext', 't'],
    ['bbytes']
  ]);
  await Promise.all([here.close(), there.close()]);
});

test('hears of the first and the last subscriber of a topic', async () => {
  const { servers } = await serve('native', 3);
  const hub = new Hub();
  const topics = new Topics({ backplane: hub.connect() });
  const [one, two, three] = servers;

  topics.subscribe(one, 'a');
  topics.subscribe(two, 'a');
  topics.subscribe(two, 'b');
  topics.unsubscribe(one, 'a');
  topics.unsubscribe(three, 'a');
  await turn();
  expect(hub.calls.splice(0)).toEqual(['subscribe a', 'subscribe b']);

  const closed = once(two, 'close');

  two.terminate();
  await closed;
  expect(hub.calls.splice(0)).toEqual(['unsubscribe a', 'unsubscribe b']);

  topics.subscribe(three, 'c');
  topics.unsubscribe(three);
  topics.subscribe(three, 'c');
  await turn();
  expect(hub.calls.splice(0)).toEqual([
    'subscribe c',
    'unsubscribe c',
    'subscribe c'
  ]);

  topics.publish('c', 'last');
  await topics.close();
  expect(hub.calls).toEqual(['publish c', 'close']);
  hub.backplanes[0].deliver('c', Buffer.alloc(20, 1));
  await topics.close();
  expect(hub.calls).toEqual(['publish c', 'close']);
});

test('is asked for nothing before it has started', async () => {
  const { servers, clients } = await serve('native', 1);
  const hub = new Hub();
  let start;
  const started = new Promise((resolve) => (start = resolve));
  const topics = new Topics({ backplane: hub.connect(started) });

  topics.subscribe(servers[0], 'a');
  expect(topics.publish('a', 'text')).toBe(1);
  await allArrived(servers, clients);
  expect(clients[0].received).toEqual(['ttext']);
  expect(hub.calls).toEqual([]);
  start();
  await turn();
  expect(hub.calls).toEqual(['subscribe a', 'publish a']);
});

test('its failures are errors of the topics', async () => {
  const { servers } = await serve('native', 1);
  const backplane = new Hub().connect();
  const topics = new Topics({ backplane });
  const errors = [];
  const fail = (name) => {
    throw new Error(name);
  };

  topics.on('error', ({ message }) => errors.push(message));
  backplane.subscribe = async () => fail('subscribe');
  backplane.publish = () => fail('publish');
  backplane.unsubscribe = async () => fail('unsubscribe');
  backplane.close = () => fail('close');
  topics.subscribe(servers[0], 'a');
  expect(topics.publish('a', 'text')).toBe(1);
  topics.unsubscribe(servers[0], 'a');
  topics.subscribe(servers[0], 'a');
  await turn();
  const strange = [Buffer.of(), Buffer.alloc(50), undefined, null, 'text', {}];

  for (const bytes of strange) backplane.deliver('a', bytes);
  backplane.fail(new Error('beside'));
  await turn();
  await topics.close();
  await turn();

  const text = 'The backplane brought what no Topics have sent';

  expect(errors.sort()).toEqual(
    [
      'subscribe',
      'publish',
      'unsubscribe',
      'subscribe',
      ...strange.map(() => text),
      'beside',
      'close'
    ].sort()
  );
});
