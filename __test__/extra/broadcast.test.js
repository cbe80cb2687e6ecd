'use strict';

const { once } = require('events');

const { PreparedMessage, Topics, broadcast } = require('../../lib/extra');
const { dial, listen } = require('../support/connection');
const { describeEach, oxws } = require('../support/implementations');
const Random = require('../support/random');
const { thrown } = require('../support/trace');
const { row, rows, serve, allArrived } = require('./support/audience');
const {
  anotherCopy,
  fill,
  onceClosed,
  openOf,
  traced
} = require('./support/connections');

describeEach(rows, 'broadcast()', ({ name: route, negotiates }) => {
  test('sends text and bytes to all', async () => {
    const { servers, clients } = await serve(route, 5);
    const all = new Set(servers);

    expect(broadcast(all, 'text')).toBe(5);
    expect(broadcast(all, Buffer.from('bytes'))).toBe(5);
    expect(broadcast(all, 7)).toBe(5);
    expect(broadcast(servers, Buffer.from('text'), { binary: false })).toBe(5);
    expect(broadcast(servers, '', { binary: true })).toBe(5);
    expect(broadcast([], 'nobody')).toBe(0);
    await allArrived(servers, clients);
    for (const { received } of clients) {
      expect(received).toEqual(['ttext', 'bbytes', 't7', 'ttext', 'b']);
    }
  });

  test('takes options as send() does', async () => {
    const { servers, clients } = await serve(route, 1);
    const [server] = servers;
    const topics = new Topics();

    class Options {}
    Options.prototype.binary = false;

    const all = [undefined, null, 0, 1].map((binary) => ({ binary }));

    topics.subscribe(server, 'a');
    for (const options of [...all, new Options(), undefined]) {
      for (const data of [Buffer.from('x'), 'y']) {
        server.send(data, options);
        broadcast(servers, data, options);
        topics.publish('a', data, options);
        new PreparedMessage(data, options).sendTo(server);
      }
    }
    await allArrived(servers, clients);

    const [{ received }] = clients;
    const sent = received.filter((_, index) => index % 4 === 0);

    expect(sent.join(' ')).toBe('tx ty tx ty tx ty bx by bx ty bx ty');
    expect(received).toEqual(sent.flatMap((each) => Array(4).fill(each)));
  });

  test('takes data as send() does', async () => {
    const { servers, clients } = await serve(route, 1);
    const [server] = servers;
    const all = [0, NaN, false, null, undefined, '', [], [97, 98], Buffer.of()];
    const others = [true, 1n, {}, Symbol('a')];

    for (const data of all) {
      server.send(data);
      broadcast(servers, data);
    }
    for (const data of others) {
      const { code, message } = thrown(() => server.send(data));

      expect(code).toBe('ERR_INVALID_ARG_TYPE');
      expect(thrown(() => broadcast(servers, data))).toMatchObject({
        code,
        message
      });
    }
    await allArrived(servers, clients);

    const [{ received }] = clients;
    const sent = received.filter((_, index) => index % 2 === 0);

    expect(sent.join(' ')).toBe('t0 tNaN b b b t b bab b');
    expect(received).toEqual(sent.flatMap((each) => [each, each]));
  });

  test('leaves out whom it is told to, and who is not open', async () => {
    const { servers, clients } = await serve(route, 4);

    servers[0].close();
    expect(broadcast(servers, 'a', { except: servers[1] })).toBe(2);
    expect(
      broadcast(servers, 'b', { except: new Set(servers.slice(1, 3)) })
    ).toBe(1);
    await allArrived(servers.slice(1), clients.slice(1));
    expect(clients.map(({ received }) => received)).toEqual([
      [],
      [],
      ['ta'],
      ['ta', 'tb']
    ]);
  });

  test('copies what it sends', async () => {
    const { servers, clients } = await serve(route, 3);

    for (const length of [10, 10_000, 100_000]) {
      const data = Buffer.alloc(length, 'x');

      broadcast(servers, data);
      data.fill('y');
    }
    await allArrived(servers, clients);
    for (const { received } of clients) {
      expect(received.join('')).not.toContain('y');
    }
  });

  test('calls a send() that was put there', async () => {
    const { servers, clients } = await serve(route, 3);
    const sent = [];

    servers[1].send = (...args) => sent.push(args);
    servers[2].send = () => {};
    expect(broadcast(servers, 'text')).toBe(3);
    expect(sent).toEqual([
      ['text', { binary: false, compress: true }, undefined]
    ]);
    await allArrived(servers, clients);
    expect(clients.map(({ received }) => received.length)).toEqual([1, 0, 0]);
  });

  test('skips, terminates or tells of the slow', async () => {
    const { servers, clients } = await serve(route, 3);
    const slow = servers[1];
    const options = { maxBuffered: 1 << 20 };
    const told = [];

    clients[1].pause();
    await fill(slow);
    expect(broadcast(servers, 'a', options)).toBe(2);
    expect(
      broadcast(servers, 'b', { ...options, onSlow: (each) => told.push(each) })
    ).toBe(2);
    expect(told).toEqual([slow]);
    expect(slow.readyState).toBe(1);
    expect(broadcast(servers, 'c', { ...options, onSlow: 'terminate' })).toBe(
      2
    );
    expect(slow.readyState).not.toBe(1);
    clients[1].resume();
    await allArrived([servers[0], servers[2]], [clients[0], clients[2]]);
    expect(clients[0].received).toEqual(['ta', 'tb', 'tc']);
    expect(clients[2].received).toEqual(['ta', 'tb', 'tc']);
  });

  const compressions = [
    ['not', {}, {}],
    ['with contexts', { perMessageDeflate: { threshold: 0 } }, {}],
    [
      'without contexts',
      {
        perMessageDeflate: { serverNoContextTakeover: true, threshold: 100 }
      },
      {}
    ],
    [
      'with windows of any size',
      { perMessageDeflate: true },
      (index) => ({
        perMessageDeflate: { serverMaxWindowBits: 8 + (index % 8) }
      })
    ]
  ];

  test.each(negotiates ? compressions : compressions.slice(0, 1))(
    'keeps the order of random messages (compressed: %s)',
    async (title, options, clientOptions) => {
      const random = new Random(17 + title.length);
      const count = 8;
      const { servers, clients } = await serve(
        route,
        count,
        options,
        clientOptions
      );
      const expected = servers.map(() => []);
      const unfinished = servers.map(() => null);

      const content = () =>
        `${random.below(10)}-${'abcdefgh'.repeat(random.below(20) ** 3)}`;

      for (let step = 0; step < 400; step++) {
        const index = random.below(count);
        const server = servers[index];
        const text = content();

        switch (
          unfinished[index] === null ? random.below(8) : random.below(5)
        ) {
          case 0:
            if (unfinished[index] === null) {
              server.send(text);
              expected[index].push(`t${text}`);
            } else {
              server.send(text, { fin: true });
              expected[index].push(`t${unfinished[index]}${text}`);
              unfinished[index] = null;
            }
            break;
          case 1:
            if (unfinished[index] === null) {
              server.send(text, { fin: false });
              unfinished[index] = text;
            }
            break;
          case 2:
            if (unfinished[index] === null) {
              server.send(new Blob([text]), { binary: false });
              expected[index].push(`t${text}`);
            }
            break;
          case 3:
            server.ping('x');
            break;
          case 4:
            await new Promise(setImmediate);
            break;
          default: {
            const free = servers.filter(
              (each, place) => unfinished[place] === null
            );
            const compress = [true, true, false, 'each'][random.below(4)];

            expect(broadcast(free, text, { compress })).toBe(free.length);
            for (const each of free) {
              expected[servers.indexOf(each)].push(`t${text}`);
            }
          }
        }
      }
      servers.forEach((server, index) => {
        if (unfinished[index] === null) return;
        server.send('', { fin: true });
        expected[index].push(`t${unfinished[index]}`);
      });
      await allArrived(servers, clients);
      clients.forEach(({ received }, index) => {
        expect(received).toEqual(expected[index]);
      });
    }
  );
});

test('clients are sent to, too', async () => {
  const { wss, url } = await listen({ ...row('native'), WebSocket: oxws });
  const connected = once(wss, 'connection');
  const client = dial({ WebSocket: oxws, route: 'native' }, url);
  const [[server]] = await Promise.all([connected, once(client, 'open')]);
  const message = once(server, 'message');

  expect(broadcast([client, server], 'text')).toBe(2);
  expect(String((await message)[0])).toBe('text');
});

test('one that throws keeps nobody from getting it', async () => {
  const { servers, clients } = await serve('native', 3);
  const thrown = new Error('thrown');
  const uncaught = jest.spyOn(process, 'nextTick');

  servers[0].send = () => {
    throw thrown;
  };
  uncaught.mockImplementationOnce((fn, err) => expect(err).toBe(thrown));
  expect(broadcast(servers, 'text')).toBe(2);
  uncaught.mockRestore();
  await allArrived(servers, clients);
  expect(clients[2].received).toEqual(['ttext']);
});

test('a subclass that overrides send() has it called', async () => {
  const { Traced, sent } = traced();

  const { servers, clients } = await serve('native', 2, { WebSocket: Traced });

  expect(broadcast(servers, 'text')).toBe(2);
  await allArrived(servers, clients);
  expect(sent).toEqual(['text', 'text']);
  expect(clients[1].received).toEqual(['ttext']);
});

test('an observed sender sees each frame', async () => {
  const { servers, clients } = await serve('native', 2);
  const frames = [];

  const { sendFrame } = servers[0]._sender;

  servers[0]._sender.sendFrame = function (list, cb) {
    frames.push(Buffer.concat(list.map(Buffer.from)).toString('latin1'));
    sendFrame.call(this, list, cb);
  };
  expect(broadcast(servers, 'text')).toBe(2);
  await allArrived(servers, clients);
  expect(frames[0]).toContain('text');
  expect(clients[0].received).toEqual(['ttext']);
});

test('sockets of two copies of oxws', async () => {
  const copy = anotherCopy();
  const one = await serve('native', 2);
  const { server, message } = await openOf(copy);
  const prepared = new copy.extra.PreparedMessage('text');

  expect(broadcast([...one.servers, server], prepared)).toBe(3);
  expect(await message).toBe('text');
  await allArrived(one.servers, one.clients);
  expect(one.clients[0].received).toEqual(['ttext']);
});

describe('a PreparedMessage', () => {
  test.each(rows)(
    'is sent as often as one likes ($name)',
    async ({ name: route }) => {
      const { servers, clients } = await serve(route, 3, {
        perMessageDeflate: true
      });
      const long = 'long '.repeat(10_000);
      const bytes = Buffer.from('bytes');
      const messages = [
        new PreparedMessage(long),
        new PreparedMessage(bytes),
        new PreparedMessage('plain'.repeat(1000), { compress: false })
      ];

      bytes.fill(0);
      for (const message of messages) {
        expect(broadcast(servers, message)).toBe(3);
        await new Promise((resolve, reject) => {
          message.sendTo(servers[0], (err) => (err ? reject(err) : resolve()));
        });
        servers[1].send(long);
        message.sendTo(servers[1]);
      }
      await allArrived(servers, clients);

      const [one, two, three] = clients.map(({ received }) => received);
      const all = [`t${long}`, 'bbytes', `t${'plain'.repeat(1000)}`];

      expect(one).toEqual(all.flatMap((each) => [each, each]));
      expect(two).toEqual(all.flatMap((each) => [each, `t${long}`, each]));
      expect(three).toEqual(all);
    }
  );

  test('tells when it cannot be sent', async () => {
    const { servers } = await serve('native', 1);
    const message = new PreparedMessage('text');

    servers[0].terminate();
    await onceClosed(servers[0]);

    const err = await new Promise((resolve) =>
      message.sendTo(servers[0], resolve)
    );

    expect(err.message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
    expect(() => message.sendTo({})).toThrow(TypeError);
  });
});

test('what is wrong is a TypeError', () => {
  const blob = new Blob(['text']);

  expect(() => new PreparedMessage(blob)).toThrow(TypeError);
  expect(() => broadcast([], blob)).toThrow(TypeError);
  expect(() => broadcast([], {})).toThrow('must be of type string');
  expect(() => broadcast([{}], 'text')).toThrow(TypeError);
  expect(() => broadcast([], 'text', { onSlow: 'wait' })).toThrow(TypeError);
  expect(() => broadcast([], 'text', { maxBuffered: '1' })).toThrow(TypeError);
  expect(() => broadcast([], 'text', { maxBuffered: -1 })).toThrow(RangeError);
});
