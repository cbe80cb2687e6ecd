'use strict';

const { randomBytes } = require('crypto');

const { BYTES, Station, TOPICS } = require('./station');

/**
 * What holds for each backplane.
 *
 * @param {function(Object=): any} connect Makes one that is connected with the
 *     others, with these options
 */
function describeSemantics(connect) {
  test('brings bytes to all others that have subscribed, in order', async () => {
    const [one, two, three] = await stations(3);

    await Promise.all([one.subscribe('a', 'b'), two.subscribe('a', 'b')]);
    await three.subscribe('b');
    for (let index = 0; index < 100; index++) {
      one.publish(index % 2 === 0 ? 'a' : 'b', `${index}`);
    }
    one.publish('c', 'nobody');
    three.publish('a', 'other');
    one.publish('b', 'end');
    await Promise.all([two.hears('b:end'), three.hears('b:end')]);
    await two.hears('a:other');
    expect(two.texts.filter((text) => text !== 'a:other')).toEqual([
      ...Array.from(
        { length: 100 },
        (_, index) => `${index % 2 === 0 ? 'a' : 'b'}:${index}`
      ),
      'b:end'
    ]);
    expect(three.texts).toEqual([
      ...Array.from({ length: 50 }, (_, index) => `b:${2 * index + 1}`),
      'b:end'
    ]);
  });

  test('knows topics by any text, and brings any bytes', async () => {
    const [one, two] = await stations(2);

    await two.subscribe(...TOPICS);
    for (const topic of TOPICS) one.publish(topic, BYTES);
    one.publish('', '');
    await two.until(() => two.received.length > TOPICS.length);
    expect(two.received).toEqual([
      ...TOPICS.map((topic) => [topic, BYTES]),
      ['', Buffer.alloc(0)]
    ]);
  });

  test('brings long messages', async () => {
    const [one, two] = await stations(2);
    const long = [1024 * 1024, 3_000_000].map((size) => randomBytes(size));

    await two.subscribe('a');
    one.publish('a', 'before');
    for (const bytes of long) one.publish('a', bytes);
    one.publish('a', 'behind');
    await two.hears('a:behind');
    expect(two.received.map(([, bytes]) => bytes.length)).toEqual([
      6,
      1024 * 1024,
      3_000_000,
      6
    ]);
    expect(two.received[1][1].equals(long[0])).toBe(true);
    expect(two.received[2][1].equals(long[1])).toBe(true);
  });

  test('brings no more of what is not subscribed to any more', async () => {
    const [one, two] = await stations(2);

    await two.subscribe('a', 'b');
    one.publish('a', '1');
    await two.hears('a:1');
    await two.unsubscribe('a');
    one.publish('a', '2');
    one.publish('b', 'fence');
    await two.hears('b:fence');
    two.unsubscribe('b');
    await two.subscribe('b', 'a');
    one.publish('a', '3');
    one.publish('b', '4');
    await two.hears('b:4');
    expect(two.texts.filter((text) => text !== 'a:2')).toEqual([
      'a:1',
      'b:fence',
      'a:3',
      'b:4'
    ]);
  });

  test('brings nothing once it is closed', async () => {
    const [one, two, three] = await stations(3);

    await Promise.all([two.subscribe('a'), three.subscribe('a')]);
    await two.close();
    one.publish('a', 'text');
    await three.hears('a:text');
    expect(two.texts).toEqual([]);
  });

  test('nor what came along with the message that it is closed in', async () => {
    const [one, two, three] = await stations(3);

    await Promise.all([two.subscribe('a'), three.subscribe('a')]);

    const closed = two.hears('a:1').then(() => two.close());

    two.onMessage = () => two.close();
    for (let index = 1; index <= 100; index++) one.publish('a', `${index}`);
    await Promise.all([closed, three.hears('a:100')]);
    expect(two.texts).toEqual(['a:1']);
  });

  async function stations(count) {
    const made = [];

    while (made.length < count) made.push(new Station(await connect()));
    return made;
  }
}

module.exports = { describeSemantics };
