'use strict';

const { once } = require('events');

const { stats } = require('../../lib/extra');
const { serve } = require('./support/audience');
const { ends, fill, open } = require('./support/connections');

test.each(ends)('stats() ($name)', async (row) => {
  const { own, peer } = await open(row);
  const before = stats(own);

  expect(before).toMatchObject({
    connections: 1,
    paused: 0,
    compressed: 0,
    bytesBuffered: 0,
    maxBuffered: 0
  });
  expect(Object.values(before.routes)).toEqual([1]);
  expect(['inline', 'thread']).toContain(before.driver);

  const message = once(own, 'message');

  peer.send('x'.repeat(1000));
  await message;
  expect(stats([own]).bytesReceived - before.bytesReceived).toBeGreaterThan(
    1000
  );

  const received = once(peer, 'message');

  own.send('x'.repeat(1000));
  await received;

  const { bytesSent } = stats([own]);

  // Not every Duplex counts.
  if (bytesSent > 0) expect(bytesSent - before.bytesSent).toBeGreaterThan(1000);

  own.pause();
  expect(stats(own).paused).toBe(1);
  own.resume();
});

test('sums up what a server has', async () => {
  const { wss, servers, clients } = await serve('native', 3, {
    perMessageDeflate: true
  });

  clients[0].pause();
  await fill(servers[0]);

  const { connections, routes, compressed, bytesBuffered, maxBuffered } =
    stats(wss);

  expect({ connections, routes, compressed }).toEqual({
    connections: 3,
    routes: { engine: 3 },
    compressed: 3
  });
  expect(maxBuffered).toBeGreaterThan(1 << 20);
  expect(bytesBuffered).toBe(maxBuffered);

  const closed = once(servers[1], 'close');

  servers[1].terminate();
  await closed;
  expect(stats(wss).connections).toBe(2);
  expect(stats(servers).connections).toBe(2);
  expect(stats([]).connections).toBe(0);
});

test('what is wrong is a TypeError', () => {
  for (const wrong of [undefined, null, {}, 7, [{}], 'ws']) {
    expect(() => stats(wrong)).toThrow(TypeError);
  }
});
