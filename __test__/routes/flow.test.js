'use strict';

const { once } = require('events');
const net = require('net');

const { trackServer, trackSocket } = require('../support/resources');
const {
  bothWays,
  describeRoutes,
  messages,
  allArrived,
  turns
} = require('./support/matrix');

const CHUNK = Buffer.alloc(1 << 16, 'x');

/** More than the buffers of two sockets hold, however far they grow. */
const BACKLOG = 4 << 20;

/** Sends until nothing can be taken any more; resolves the count of sends. */
async function fill(websocket) {
  let count = 0;

  while (websocket.bufferedAmount < BACKLOG) {
    for (let sends = 0; sends < 16; sends++) websocket.send(CHUNK);
    count += 16;
    await turns();
  }
  return count;
}

let unwritten;

/** What Node tells of what a socket had not written when it was destroyed. */
async function unwrittenCode() {
  unwritten ??= findUnwrittenCode();
  return unwritten;
}

async function findUnwrittenCode() {
  const server = trackServer(net.createServer({ pauseOnConnect: true }));

  await new Promise((resolve) => server.listen(0, resolve));

  const socket = trackSocket(net.connect(server.address().port));
  const results = [];

  await once(socket, 'connect');
  socket.write(Buffer.alloc(1 << 26));
  await turns();
  socket.write('lost', (err) => results.push(err.code));
  socket.destroy();
  await once(socket, 'close');
  return results[0];
}

describeRoutes('back-pressure', (open, route) => {
  // One test, as filling both sides takes long.
  test("shows, holds callbacks back, and ends with 'drain' for a reader", async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const order = [];
      const sends = (data) =>
        new Promise((resolve) => {
          from.send(data, () => {
            order.push(data);
            resolve();
          });
        });
      // A listener that has waited for long.
      const drainedAtLast = new Promise((resolve) => {
        from._socket.on('drain', () => {
          if (from.bufferedAmount === 0 && !to.isPaused) resolve();
        });
      });

      to.pause();

      const count = await fill(from);
      const arrival = messages(to, count + 2);

      expect(from.bufferedAmount).toBeGreaterThan(0);
      sends('first');
      await turns();
      expect(order).toEqual([]);

      const sent = sends('second');
      const drained = once(from._socket, 'drain');

      expect(from._socket.writableNeedDrain).toBe(true);
      to.resume();
      await sent;
      expect(order).toEqual(['first', 'second']);
      expect(from.bufferedAmount).toBe(0);
      await drained;
      expect(from._socket.writableLength).toBe(0);
      await drainedAtLast;

      const received = (await arrival).map(([data]) => data);

      expect(received.slice(0, count).every((data) => data.equals(CHUNK))).toBe(
        true
      );
      expect(received.slice(count).map(String)).toEqual(['first', 'second']);
    });
  });

  test('does not keep terminate() waiting; callbacks get an error', async () => {
    const connection = await open();
    const { server, client, closed } = connection;
    const results = [];

    server.pause();
    await fill(client);
    client.send('lost', (err) => results.push(err.code));
    client.once('close', () => results.push('close'));
    client.terminate();
    server.resume();
    await closed;
    // Streams of HTTP/2 close before or after, with either code, by the version
    // of Node.
    if (route.name === 'HTTP/2') results.sort();

    const codes = {
      'HTTP/2': expect.stringMatching(/^(ECANCELED|ERR_STREAM_DESTROYED)$/),
      Duplex: 'ERR_STREAM_DESTROYED'
    };

    expect(results).toEqual([
      codes[route.name] || (await unwrittenCode()),
      'close'
    ]);
  });

  test('does not lose what was sent before close()', async () => {
    const connection = await open();
    const { server, client, closed, events } = connection;

    server.pause();

    const count = await fill(client);

    client.close(1000);
    await turns();
    server.resume();
    await closed;
    expect(events.server.length).toBe(count + 1);
    expect(events.server.at(-1)).toBe('3 close 1000 Buffer(0) ');
    expect(events.client).toEqual(['3 close 1000 Buffer(0) ']);
  });

  if (route.isNet) {
    test('is none on an idle connection', async () => {
      const connection = await open();
      const { server, client, closed } = connection;

      for (const websocket of [server, client]) {
        expect(websocket.bufferedAmount).toBe(0);
        websocket.send('x');
        websocket.ping();
        expect(websocket.bufferedAmount).toBe(0);
      }
      client.close(1000);
      expect(client.bufferedAmount).toBe(0);
      await closed;
    });
  }
});

describeRoutes('pause() and resume()', (open) => {
  test('hold messages, pings and pongs back in order', async () => {
    const connection = await open({
      server: { autoPong: false },
      client: { autoPong: false }
    });
    const { events } = connection;
    const held = [];

    for (const [from, to, side] of [
      [connection.client, connection.server, 'server'],
      [connection.server, connection.client, 'client']
    ]) {
      to.pause();
      expect(to.isPaused).toBe(true);
      from.send('1');
      from.ping('2');
      from.send('3');

      const arrived = allArrived(from, to);

      await turns();
      held.push(events[side].length);
      to.resume();
      expect(to.isPaused).toBe(false);
      await arrived;
    }

    const lines = [
      '1 message text Buffer(1) 1',
      '1 ping Buffer(1) 2',
      '1 message text Buffer(1) 3',
      '1 pong Buffer(7) arrived'
    ];

    expect(held).toEqual([0, 0]);
    expect(events).toEqual({ server: lines, client: lines });
  });

  test('may be called in a listener', async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 50);
      const pause = () => {
        to.pause();
        setImmediate(() => to.resume());
      };

      to.on('message', pause);
      for (let index = 0; index < 50; index++) from.send(`${index}`);
      expect((await arrival).map(([data]) => Number(data))).toEqual(
        Array.from({ length: 50 }, (_, index) => index)
      );
      to.removeListener('message', pause);
    });
  });

  test('pause() leaves sending alone', async () => {
    const connection = await open();

    await bothWays(connection, async (from, to) => {
      const arrival = messages(to, 1);

      from.pause();
      from.send('sent while paused');
      expect(String((await arrival)[0][0])).toBe('sent while paused');
      from.resume();
    });
  });

  test('what came before the end is delivered before it', async () => {
    for (const [first, second] of [
      ['server', 'client'],
      ['client', 'server']
    ]) {
      const connection = await open();
      const { closed, events } = connection;

      connection[second].pause();
      connection[first].send('before');
      connection[first].close(1000, 'end');
      await turns();
      expect(events[second]).toEqual([]);
      connection[second].resume();
      await closed;
      expect(events[second]).toEqual([
        '1 message text Buffer(6) before',
        '3 close 1000 Buffer(3) end'
      ]);
    }
  });

  test('a paused side that closes reads the answer', async () => {
    const { server, client, closed, events } = await open();

    server.pause();
    client.pause();
    server.close(1000);
    client.resume();
    server.resume();
    await closed;
    expect(events).toEqual({
      server: ['3 close 1000 Buffer(0) '],
      client: ['3 close 1000 Buffer(0) ']
    });
  });
});
