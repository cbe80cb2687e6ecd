'use strict';

const { once } = require('events');

const { describeRoutes, messages } = require('./support/matrix');

const sides = [
  ['server', 'client'],
  ['client', 'server']
];

describeRoutes('closing', (open, route) => {
  describe.each(sides)('by the %s', (first, second) => {
    test.each([
      ['a code and a reason', [1000, 'bye'], '1000 Buffer(3) bye'],
      ['a code of its own', [4321], '4321 Buffer(0) '],
      [
        'a long reason',
        [1013, 'r'.repeat(60)],
        `1013 Buffer(60) ${'r'.repeat(60)}`
      ],
      ['nothing', [], '1005 Buffer(0) ']
    ])('with %s', async (_, values, seen) => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first].close(...values);
      expect(connection[first].readyState).toBe(2);
      await closed;

      // The answer repeats the code and not the reason; without a code there
      // is none in the answer either.
      expect(events[second]).toEqual([`3 close ${seen}`]);
      expect(events[first]).toEqual([`3 close ${seen}`]);
    });

    test('after messages delivers them first', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first].send('one');
      connection[first].send(Buffer.alloc(1 << 20));
      connection[first].send('two');
      connection[first].close(1000);
      await closed;
      expect(events[second]).toEqual([
        '1 message text Buffer(3) one',
        expect.stringContaining('1 message binary Buffer(1048576) '),
        '1 message text Buffer(3) two',
        '3 close 1000 Buffer(0) '
      ]);
    });

    test('delivers what the other side sends until it answers', async () => {
      const connection = await open();
      const { closed, events } = connection;
      const arrival = messages(connection[second], 1);

      connection[first].on('message', () => {});
      connection[second].on('message', () => {
        connection[second].send('last words');
        connection[second].ping('and a ping');
      });
      connection[first].send('now');
      connection[first].close(1001, 'going');
      await arrival;
      await closed;
      expect(events[first]).toEqual([
        '2 message text Buffer(10) last words',
        '2 ping Buffer(10) and a ping',
        '3 close 1001 Buffer(5) going'
      ]);
      expect(events[second]).toEqual([
        '1 message text Buffer(3) now',
        '3 close 1001 Buffer(5) going'
      ]);
    });

    test('may begin in a listener', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first].on('message', () => connection[first].close(1000));
      connection[second].send('close, please');
      connection[second].send('one more');
      await closed;
      expect(events[first]).toEqual([
        '1 message text Buffer(13) close, please',
        '2 message text Buffer(8) one more',
        '3 close 1000 Buffer(0) '
      ]);
    });

    test('refuses what is sent afterwards', async () => {
      const connection = await open();
      const { closed } = connection;
      const websocket = connection[first];
      const errors = [];

      websocket.close();
      websocket.send('12345', (err) => errors.push(err.message));
      websocket.ping('6', undefined, (err) => errors.push(err.message));
      expect(errors).toEqual([]);
      await closed;
      await new Promise((resolve) => {
        websocket.send('x', (err) => {
          errors.push(err.message);
          resolve();
        });
      });
      expect(errors).toEqual([
        'WebSocket is not open: readyState 2 (CLOSING)',
        'WebSocket is not open: readyState 2 (CLOSING)',
        'WebSocket is not open: readyState 3 (CLOSED)'
      ]);
      expect(websocket.bufferedAmount).toBe(7);
    });

    test('gives up after closeTimeout without an answer', async () => {
      const connection = await open({ [first]: { closeTimeout: 30 } });
      const { events } = connection;
      const ended = once(connection[first], 'close');

      connection[second].pause();
      connection[first].close(1000);
      await ended;
      expect(events[first]).toEqual(['3 close 1006 Buffer(0) ']);
    });

    test('by terminate() is abnormal on both sides', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first].terminate();
      expect(connection[first].readyState).toBe(2);
      connection[first].terminate();
      await closed;
      expect(events).toEqual({
        server: ['3 close 1006 Buffer(0) '],
        client: ['3 close 1006 Buffer(0) ']
      });
      connection[first].terminate();
      connection[first].close();
      expect(connection[first].readyState).toBe(3);
    });

    test('by terminate() in a listener', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first].once('message', () => connection[first].terminate());
      connection[second].send('1');
      await closed;
      expect(events[first]).toEqual([
        '1 message text Buffer(1) 1',
        '3 close 1006 Buffer(0) '
      ]);
    });

    test('by the end of the socket is abnormal', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first]._socket.end();
      await closed;
      expect(events).toEqual({
        server: ['3 close 1006 Buffer(0) '],
        client: ['3 close 1006 Buffer(0) ']
      });
    });

    test('by destroying the socket is abnormal', async () => {
      const connection = await open();
      const { closed, events } = connection;

      connection[first]._socket.destroy();
      await closed;
      expect(events).toEqual({
        server: ['3 close 1006 Buffer(0) '],
        client: ['3 close 1006 Buffer(0) ']
      });
    });

    if (route.isNet && !route.name.startsWith('unix')) {
      test('by RST is abnormal and no error', async () => {
        const connection = await open();
        const { closed, events } = connection;

        connection[first]._socket.resetAndDestroy();
        await closed;
        expect(events).toEqual({
          server: ['3 close 1006 Buffer(0) '],
          client: ['3 close 1006 Buffer(0) ']
        });
      });
    }
  });

  test('at the same time from both sides', async () => {
    const { server, client, closed, events } = await open();

    server.close(4000, 'server');
    client.close(4001, 'client');
    await closed;
    expect(events).toEqual({
      server: ['3 close 4001 Buffer(6) client'],
      client: ['3 close 4000 Buffer(6) server']
    });
  });

  test('with an invalid code throws and changes nothing', async () => {
    const { server, client, events } = await open();

    for (const websocket of [server, client]) {
      expect(() => websocket.close(1006)).toThrow(
        'First argument must be a valid error code number'
      );
      expect(() => websocket.close(1000, 'x'.repeat(124))).toThrow(
        'The message must not be greater than 123 bytes'
      );
      expect(websocket.readyState).toBe(1);
    }

    const arrival = messages(server, 1);

    client.send('still open');
    await arrival;
    expect(events.client).toEqual([]);
  });

  test('empties the set of clients, if there is one', async () => {
    const { wss, server, client, closed } = await open();

    if (wss) expect([...wss.clients]).toEqual([server]);
    client.close();
    await closed;
    if (wss) expect(wss.clients.size).toBe(0);
    expect([server.readyState, client.readyState]).toEqual([3, 3]);
  });
});
