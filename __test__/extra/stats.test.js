'use strict';

const { once } = require('events');

const {
  PreparedMessage,
  Topics,
  broadcast,
  stats
} = require('../../lib/extra');
const { linesOf, ownDrivers } = require('../support/drivers');
const { describeEach, oxws, ws } = require('../support/implementations');
const { messages } = require('../support/waiting');
const { serve, allArrived } = require('./support/audience');
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

test.each(ends)(
  'counts messages, however they are sent ($name)',
  async (row) => {
    const { own, peer } = await open(row);
    const count = 12;
    const received = messages(peer, count);
    const topics = new Topics();

    topics.subscribe(own, 'a');
    own.send('1');
    own.send('2', { fin: false });
    own.send('2');
    own.send(new Blob(['3']));
    for (let i = 4; i < 8; i++) broadcast([own], `${i}`);
    for (let i = 8; i < count; i++) topics.publish('a', `${i}`);
    new PreparedMessage(`${count}`).sendTo(own);
    own.ping();
    expect(stats(own).messagesSent).toBe(count);
    await received;

    const { messagesReceived, messagesSent } = stats([own, peer]);

    expect([messagesReceived, messagesSent]).toEqual([count, count]);
    expect(stats(own).messagesReceived).toBe(0);
  }
);

describe.each([
  ['as it is', () => {}],
  [
    'observed',
    (sender) => {
      const { sendFrame } = sender;

      sender.sendFrame = (list, cb) => sendFrame.call(sender, [...list], cb);
    }
  ]
])('frames of a _sender that is %s', (title, observe) => {
  test.each(ends)('are counted as messages ($name)', async (row) => {
    const { own, peer } = await open(row);
    const { _sender: sender } = own;
    const received = messages(peer, 4);
    const sendFrame = (text, fields) =>
      sender.sendFrame(
        oxws.Sender.frame(Buffer.from(text), {
          mask: row.end === 'client',
          ...fields
        })
      );

    observe(sender);
    own.send('1');
    own.send(new Blob(['2']));
    sendFrame('ping', { fin: true, opcode: 9 });
    while (sender._state !== 0) await new Promise(setImmediate);
    sendFrame('3', { fin: true, opcode: 1 });
    sendFrame('4', { fin: false, opcode: 2 });
    sendFrame('4', { fin: true, opcode: 0 });
    own.ping();
    await received;
    expect(stats(own).messagesSent).toBe(4);
  });
});

test.each(['native', 'adopted', 'TLS'])(
  'what a server has counted does not fall (%s)',
  async (route) => {
    const { wss, servers, clients } = await serve(route, 3, {
      verifyClient: ({ req }) => req.url === '/'
    });
    const [one, two, three] = servers;
    const all = { accepted: 3, refused: {}, closed: {} };

    for (const client of clients) client.send('from a client');
    await Promise.all(servers.map((server) => once(server, 'message')));
    broadcast(servers, 'to all');
    one.send('to one');
    await allArrived(servers, clients);

    const before = stats(wss);

    expect(before).toMatchObject({
      ...all,
      connections: 3,
      messagesReceived: 3,
      messagesSent: 4
    });

    const seen = [];
    const closed = servers.map((server) =>
      once(server, 'close').then(() => seen.push(stats(wss)))
    );

    one.close(4000);
    two.terminate();
    clients[2].close();
    await Promise.all(closed);

    for (const each of [...seen, stats(wss)]) {
      for (const name of ['bytesReceived', 'bytesSent']) {
        expect(each[name]).toBeGreaterThanOrEqual(before[name]);
      }
      expect(each).toMatchObject({ messagesReceived: 3, messagesSent: 4 });
    }
    expect(stats(wss)).toMatchObject({
      ...all,
      connections: 0,
      routes: {},
      closed: { 1005: 1, 1006: 1, 4000: 1 }
    });
    expect(stats([three]).messagesReceived).toBe(1);

    const { port } = wss.address();
    const scheme = route === 'TLS' ? 'wss' : 'ws';
    const refused = new ws(`${scheme}://127.0.0.1:${port}/elsewhere`, {
      rejectUnauthorized: false
    });

    await once(refused, 'error');
    expect(stats(wss)).toMatchObject({ accepted: 3, refused: { 401: 1 } });
  }
);

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

describeEach(ownDrivers, 'stats() of a server', (driver) => {
  test('knows the driver before there is a client', async () => {
    const lines = await linesOf(driver, (WebSocket) => {
      const { stats } = require('./lib/extra');
      const wss = new WebSocket.Server({ port: 0 }, () => {
        console.log(stats(wss).driver);
        wss.close();
      });
    });

    expect(lines).toEqual([driver.env.OXWS_DRIVER]);
  });
});

test('what is wrong is a TypeError', () => {
  for (const wrong of [undefined, null, {}, 7, [{}], 'ws']) {
    expect(() => stats(wrong)).toThrow(TypeError);
  }
});
