'use strict';

const { once } = require('events');

const { bothWays, describeRoutes, allArrived } = require('./support/matrix');

describeRoutes('control frames', (open) => {
  test('pings are answered with their data', async () => {
    const connection = await open();
    const { client, closed, events } = connection;
    const long = '0123456789'.repeat(6);

    await bothWays(connection, async (from) => {
      for (const data of [undefined, 'text', Buffer.from(long), 7]) {
        const answered = once(from, 'pong');

        from.ping(data);
        await answered;
      }
    });
    client.close();
    await closed;

    const lines = (name) => [
      `1 ${name} Buffer(0) `,
      `1 ${name} Buffer(4) text`,
      `1 ${name} Buffer(60) ${long}`,
      `1 ${name} Buffer(1) 7`
    ];

    expect(events).toEqual({
      server: [...lines('ping'), ...lines('pong'), '3 close 1005 Buffer(0) '],
      client: [...lines('pong'), ...lines('ping'), '3 close 1005 Buffer(0) ']
    });
  });

  test('pings are not answered without autoPong', async () => {
    const connection = await open({
      server: { autoPong: false },
      client: { autoPong: false }
    });
    const { events } = connection;

    await bothWays(connection, async (from, to) => {
      const arrived = once(to, 'ping');

      from.ping('unanswered');
      await arrived;
      await allArrived(to, from);
    });

    const lines = ['1 ping Buffer(10) unanswered', '1 pong Buffer(7) arrived'];

    expect(events.server.sort()).toEqual(lines);
    expect(events.client.sort()).toEqual(lines);
  });

  test('pongs may come unasked', async () => {
    const connection = await open();
    const { events } = connection;

    await bothWays(connection, async (from, to) => {
      from.pong('unasked');
      from.pong(Buffer.from([255]));
      await allArrived(from, to);
    });

    const lines = [
      '1 pong Buffer(7) unasked',
      '1 pong Buffer(1) \u00ff',
      '1 pong Buffer(7) arrived'
    ];

    expect(events).toEqual({ server: lines, client: lines });
  });

  test('keep their place among messages', async () => {
    const connection = await open();
    const { events } = connection;

    await bothWays(connection, async (from, to) => {
      from.pong('1');
      from.send('2');
      from.pong('3');
      from.send(Buffer.alloc(1 << 20));
      from.pong('4');
      from.send('5');
      await allArrived(from, to);
    });

    const lines = [
      '1 pong Buffer(1) 1',
      '1 message text Buffer(1) 2',
      '1 pong Buffer(1) 3',
      expect.stringContaining('1 message binary Buffer(1048576) '),
      '1 pong Buffer(1) 4',
      '1 message text Buffer(1) 5',
      '1 pong Buffer(7) arrived'
    ];

    expect(events).toEqual({ server: lines, client: lines });
  });
});
