'use strict';

const { threadBackplane } = require('../../lib/backplanes');
const { describeSemantics } = require('./support/semantics');
const { Station } = require('./support/station');
const { turns, work } = require('../support/waiting');

let count = 0;

/** Those of a test have a name to themselves. */
beforeEach(() => count++);

const connect = (options) =>
  threadBackplane({ name: `test ${count}`, ...options });

describeSemantics(connect);

test('a publisher does not hear itself', async () => {
  const [one, two] = [new Station(connect()), new Station(connect())];

  await one.subscribe('a');
  await two.subscribe('a');
  await one.publish('a', 'text');
  await two.hears('a:text');
  await turns();
  expect(one.texts).toEqual([]);
});

test('names are apart', async () => {
  const one = new Station(connect());
  const two = new Station(connect({ name: 'another' }));
  const three = new Station(connect());

  await Promise.all([two.subscribe('a'), three.subscribe('a')]);
  await one.publish('a', 'text');
  await three.hears('a:text');
  await turns();
  expect(two.texts).toEqual([]);
});

test('tells how many there was no room for', async () => {
  const one = new Station(connect());
  const two = new Station(connect({ maxPending: 10_000 }));
  const count = 40;
  const lost = () =>
    two.errors.reduce((sum, text) => sum + Number(text.split(': ')[1]), 0);

  await two.subscribe('a');
  for (let index = 0; index < count; index++) {
    one.backplane.publish('a', Buffer.alloc(1000, index));
    // The other thread, if one reads, does so: it waits for this one all the same.
    work(1);
  }
  await two.until(() => two.received.length + lost() === count);
  expect(two.errors[0]).toMatch(/^Messages were lost: \d+$/);
  expect(two.received.map(([, bytes]) => bytes[0])).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8
  ]);
  await one.publish('a', 'again');
  await two.hears('a:again');
});

test('a message that came before the topic was left is of no other topic', async () => {
  const [one, two] = [new Station(connect()), new Station(connect())];

  await two.subscribe('a');
  one.publish('a', 'a');
  two.unsubscribe('a');
  two.subscribe('b');
  one.publish('b', 'b');
  await two.hears('b:b');
  expect(two.texts).toEqual(['b:b']);
});

test('one that is closed by what it brings brings no more, nor to the next', async () => {
  const [one, three] = [new Station(connect()), new Station(connect())];
  const two = connect();
  let count = 0;
  let next;

  two.start(() => {
    count++;
    if (count !== 20) return;
    two.close();
    // It may have the same number for the addon, and so has its topic.
    next = new Station(connect({ name: 'another' }));
    next.subscribe('b');
  });
  two.subscribe('a');
  await three.subscribe('a');
  // More than come in one call, whoever polls.
  for (let index = 0; index < 200; index++) one.publish('a', Buffer.alloc(100));
  one.publish('a', 'end');
  await three.hears('a:end');
  await turns();
  expect(count).toBe(20);
  expect(next.texts).toEqual([]);
});

test('one that is closed does nothing in the name of the next', async () => {
  const one = new Station(connect());

  await one.close();

  const name = 'another';
  const [two, three] = [1, 2].map(() => new Station(connect({ name })));

  await three.subscribe('a');
  await one.publish('a', 'late');
  await one.backplane.close();
  await two.publish('a', 'text');
  await three.hears('a:text');
  expect(three.texts).toEqual(['a:text']);
});

test.each([
  ['name', { name: 1 }, 'The option "name" must be a string'],
  [
    'maxPending',
    { name: '', maxPending: '1' },
    'The option "maxPending" must be a number of bytes'
  ]
])('checks the option "%s"', (name, options, message) => {
  expect(() => threadBackplane(options)).toThrow(new TypeError(message));
});
