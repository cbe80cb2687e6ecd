'use strict';

const { threadBackplane } = require('../../lib/backplanes');
const { describeSemantics } = require('./support/semantics');
const { Station } = require('./support/station');
const { turns } = require('../support/waiting');

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
  const two = new Station(connect({ maxPending: 2 * 1024 * 1024 }));
  const count = 40;
  const lost = () =>
    two.errors.reduce((sum, text) => sum + Number(text.split(': ')[1]), 0);

  await two.subscribe('a');
  // More than the other thread, if one reads, takes meanwhile.
  for (let index = 0; index < count; index++) {
    one.backplane.publish('a', Buffer.alloc(1024 * 1024, index));
  }
  await two.until(() => two.received.length + lost() === count);

  const numbers = two.received.map(([, bytes]) => bytes[0]);

  expect(lost()).toBeGreaterThan(0);
  expect(two.errors[0]).toMatch(/^Messages were lost: \d+$/);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
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
