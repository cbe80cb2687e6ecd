'use strict';

const diagnostics = require('diagnostics_channel');
const { once } = require('events');

const { PreparedMessage, Topics, broadcast } = require('../../lib/extra');
const { dial, listen } = require('../support/connection');
const { describeEach, oxws, ws } = require('../support/implementations');
const Random = require('../support/random');
const { rows, serve, allArrived } = require('./support/audience');
const {
  anotherCopy,
  fill,
  onceClosed,
  openOf,
  traced
} = require('./support/connections');

describeEach(rows, 'Topics', ({ name: route, negotiates }) => {
  test('sends to all who are subscribed', async () => {
    const { servers, clients } = await serve(route, 4);
    const topics = new Topics();
    const [one, two, three] = servers;

    expect(topics.subscribe(one, 'a')).toBe(true);
    expect(topics.subscribe(one, 'a')).toBe(false);
    expect(topics.subscribe(two, 'a')).toBe(true);
    expect(topics.subscribe(two, 'b')).toBe(true);
    expect(topics.subscribe(three, 'ä☃')).toBe(true);
    expect(topics.size('a')).toBe(2);
    expect(topics.size('c')).toBe(0);
    expect(topics.isSubscribed(one, 'a')).toBe(true);
    expect(topics.isSubscribed(one, 'b')).toBe(false);
    expect(topics.topicsOf(two)).toEqual(['a', 'b']);
    expect(topics.topicsOf(three)).toEqual(['ä☃']);
    expect(topics.topicsOf(servers[3])).toEqual([]);

    expect(topics.publish('a', 'text')).toBe(2);
    expect(topics.publish('b', Buffer.from('bytes'))).toBe(1);
    expect(topics.publish('ä☃', 7)).toBe(1);
    expect(topics.publish('c', 'nobody')).toBe(0);
    expect(topics.publish('a', Buffer.from('1'), { binary: false })).toBe(2);
    expect(topics.publish('a', '2', { except: one })).toBe(1);
    expect(topics.publish('a', '3', { except: new Set(servers) })).toBe(0);
    expect(topics.publish('a', '4', { except: servers[3] })).toBe(2);
    expect(topics.publish('a', new PreparedMessage('5'))).toBe(2);

    expect(topics.unsubscribe(one, 'a')).toBe(true);
    expect(topics.unsubscribe(one, 'a')).toBe(false);
    expect(topics.unsubscribe(one)).toBe(false);
    expect(topics.unsubscribe(two)).toBe(true);
    expect(topics.topicsOf(two)).toEqual([]);
    expect(topics.publish('a', '6')).toBe(0);
    await allArrived(servers, clients);
    expect(clients.map(({ received }) => received)).toEqual([
      ['ttext', 't1', 't4', 't5'],
      ['ttext', 'bbytes', 't1', 't2', 't4', 't5'],
      ['t7'],
      []
    ]);
  });

  test('who is not open is subscribed to nothing, before "close"', async () => {
    const { servers, clients } = await serve(route, 3);
    const topics = new Topics();
    const [closing, terminated, left] = servers;
    const seen = [];

    for (const server of servers) {
      topics.subscribe(server, 'a');
      topics.subscribe(server, 'b');
      server.on('close', () => seen.push(topics.topicsOf(server)));
    }

    const closings = Promise.all(servers.map(onceClosed));

    closing.close();
    expect(topics.topicsOf(closing)).toEqual([]);
    expect(topics.subscribe(closing, 'a')).toBe(false);
    terminated.terminate();
    expect(topics.size('a')).toBe(1);

    const closed = onceClosed(left);

    clients[2].terminate();
    await closed;
    expect(topics.size('a')).toBe(0);
    expect(topics.subscribe(left, 'a')).toBe(false);
    expect(topics.publish('a', 'nobody')).toBe(0);
    await closings;
    expect(seen.flat()).toEqual([]);
  });

  test('calls what is put in the place of send(), before and after', async () => {
    const { servers, clients } = await serve(route, 4);
    const topics = new Topics();
    const sent = [];
    const note = (...args) => sent.push(args);

    servers[0].send = note;
    for (const server of servers) topics.subscribe(server, 'a');
    expect(topics.publish('a', '1')).toBe(4);
    servers[1].send = note;
    expect(topics.publish('a', '2')).toBe(4);
    delete servers[1].send;
    expect(topics.publish('a', '3')).toBe(4);
    servers[1].send = note;
    expect(topics.publish('a', '4')).toBe(4);

    const { send } = oxws.prototype;

    oxws.prototype.send = function (...args) {
      note(...args);
      return send.apply(this, args);
    };
    try {
      expect(topics.publish('a', '5')).toBe(4);
    } finally {
      oxws.prototype.send = send;
    }
    expect(topics.publish('a', '6', { except: servers[0] })).toBe(3);
    await allArrived(servers, clients);

    const options = { binary: false, compress: true };

    expect(sent.map(([data]) => data).join('')).toBe('12234455556');
    expect(sent[0]).toEqual(['1', options, undefined]);
    expect(clients.map(({ received }) => received.join(''))).toEqual([
      '',
      't1t3',
      't1t2t3t4t5t6',
      't1t2t3t4t5t6'
    ]);
  });

  test.each(['_sender.send', '_sender.sendFrame', '_sender', 'send'])(
    'calls what is put in the place of %s, and of that again',
    async (place) => {
      const { servers, clients } = await serve(route, 2);
      const topics = new Topics();
      const [server] = servers;
      const [name, method = name] = place.split('.');
      const object = name === method ? server : server[name];
      const original = object[method];
      const seen = [];
      let published = 0;
      const publish = () => topics.publish('a', `${++published}`);
      const note = () => seen.push(published);

      for (const each of servers) topics.subscribe(each, 'a');
      // Nothing is in the way any more, and the engine sends.
      publish();
      publish();

      for (let round = 0; round < 2; round++) {
        object[method] =
          method === '_sender'
            ? {
                __proto__: original,
                send: (...args) => {
                  note();
                  original.send(...args);
                }
              }
            : (...args) => {
                note();
                original.apply(object, args);
              };
        publish();
        object[method] = original;
        publish();
        publish();
      }

      await allArrived(servers, clients);
      expect(seen).toEqual([3, 6]);
      for (const { received } of clients) {
        expect(received.join('')).toBe('t1t2t3t4t5t6t7t8');
      }
    }
  );

  test('skips, terminates or tells of the slow', async () => {
    const { servers, clients } = await serve(route, 3);
    const told = [];
    const [fast, slow, other] = servers;
    const maxBuffered = 1 << 20;
    const all = ['skip', 'terminate', (each) => told.push(each)].map(
      (onSlow) => new Topics({ maxBuffered, onSlow })
    );
    const [skipping, terminating, telling] = all;

    for (const topics of all) {
      for (const server of servers) topics.subscribe(server, 'a');
    }
    clients[1].pause();
    await fill(slow);
    expect(skipping.publish('a', '1')).toBe(2);
    expect(telling.publish('a', '2')).toBe(2);
    expect(told).toEqual([slow]);
    expect(telling.publish('a', '3', { except: slow })).toBe(2);
    expect(told).toEqual([slow]);
    expect(terminating.publish('a', '4')).toBe(2);
    expect(slow.readyState).not.toBe(1);
    expect(all.map((topics) => topics.size('a'))).toEqual([2, 2, 2]);
    clients[1].resume();
    await allArrived([fast, other], [clients[0], clients[2]]);
    expect(clients[0].received).toEqual(['t1', 't2', 't3', 't4']);
    expect(clients[2].received).toEqual(['t1', 't2', 't3', 't4']);
  });

  const compressions = [
    ['not', {}, {}],
    ['with contexts', { perMessageDeflate: { threshold: 0 } }, {}],
    [
      'with windows of any size, or not',
      { perMessageDeflate: true },
      (index) => ({
        perMessageDeflate:
          index % 3 === 0 ? false : { serverMaxWindowBits: 8 + (index % 8) }
      })
    ]
  ];

  test.each(negotiates ? compressions : compressions.slice(0, 1))(
    'does what a Map of Sets does (compressed: %s)',
    async (title, options, clientOptions) => {
      const random = new Random(title.length);
      const count = 24;
      const { servers, clients } = await serve(
        route,
        count,
        options,
        clientOptions
      );
      const topics = new Topics();
      const model = new Map();
      const open = new Set(servers);
      const expected = new Map(servers.map((server) => [server, []]));
      const membersOf = (topic) => model.get(topic) ?? new Set();

      for (let step = 0; step < 400; step++) {
        const server = servers[random.below(count)];
        const topic = `topic ${random.below(5)}`;

        switch (random.below(11)) {
          case 0:
          case 1:
          case 2:
            expect(topics.subscribe(server, topic)).toBe(
              open.has(server) && !membersOf(topic).has(server)
            );
            if (open.has(server)) {
              model.set(topic, membersOf(topic).add(server));
            }
            break;
          case 3:
            expect(topics.unsubscribe(server, topic)).toBe(
              membersOf(topic).delete(server)
            );
            break;
          case 4:
            if (random.below(6) === 0) {
              const had = [...model.values()].map((set) => set.delete(server));

              expect(topics.unsubscribe(server)).toBe(had.includes(true));
            }
            break;
          case 5:
            if (open.has(server)) {
              server.send(`own ${step}`);
              expected.get(server).push(`town ${step}`);
            }
            break;
          case 6:
            if (open.has(server)) {
              server.send(new Blob([`blob ${step}`]), { binary: false });
              expected.get(server).push(`tblob ${step}`);
            }
            break;
          case 7:
            if (open.has(server)) {
              server.send('begun ', { fin: false });
              await new Promise(setImmediate);
              server.send(`${step}`);
              expected.get(server).push(`tbegun ${step}`);
            }
            break;
          case 8:
            if (random.below(40) === 0 && open.size > count / 2) {
              server.close();
              open.delete(server);
              for (const set of model.values()) set.delete(server);
            } else {
              await new Promise(setImmediate);
            }
            break;
          default: {
            const data = `${step} ${'abcdefgh'.repeat(random.below(14) ** 3)}`;
            const except = servers[random.below(count)];
            const compress = [true, true, false, 'each'][random.below(4)];
            const receivers = [...membersOf(topic)].filter(
              (each) => each !== except
            );

            expect(topics.publish(topic, data, { compress, except })).toBe(
              receivers.length
            );
            for (const each of receivers) expected.get(each).push(`t${data}`);
          }
        }
        if (step % 20 === 0) {
          expect(topics.size(topic)).toBe(membersOf(topic).size);
          expect(topics.isSubscribed(server, topic)).toBe(
            membersOf(topic).has(server)
          );
          const own = [...model].filter(([, set]) => set.has(server));

          expect(topics.topicsOf(server).sort()).toEqual(
            own.map(([name]) => name).sort()
          );
        }
      }

      const isOpen = (_, index) => open.has(servers[index]);

      await allArrived(servers.filter(isOpen), clients.filter(isOpen));
      clients.filter(isOpen).forEach(({ received }, index) => {
        expect(received).toEqual(expected.get(servers.filter(isOpen)[index]));
      });
    }
  );
});

test('a subclass that overrides send() has it called', async () => {
  const { Traced, sent } = traced();

  class Untouched extends oxws {}

  const one = await serve('native', 2, { WebSocket: Traced });
  const other = await serve('native', 2, { WebSocket: Untouched });
  const servers = [...one.servers, ...other.servers];
  const topics = new Topics();

  for (const server of servers) topics.subscribe(server, 'a');
  expect(topics.publish('a', '1')).toBe(4);
  expect(sent).toEqual(['1', '1']);
  Untouched.prototype.send = Traced.prototype.send;
  expect(topics.publish('a', '2')).toBe(4);
  expect(sent).toEqual(['1', '1', '2', '2', '2', '2']);
  await allArrived(servers, [...one.clients, ...other.clients]);
  for (const { received } of [...one.clients, ...other.clients]) {
    expect(received).toEqual(['t1', 't2']);
  }
});

test('whoever looks at a socket sees what goes through it', async () => {
  const { servers, clients } = await serve('native', 20);
  const topics = new Topics();
  const written = [];

  for (const server of servers) topics.subscribe(server, 'a');
  topics.publish('a', '1');

  const socket = servers[3]._socket;
  const { write } = socket;

  socket.write = function (chunk, ...rest) {
    written.push(String(chunk));
    return write.call(this, chunk, ...rest);
  };
  topics.publish('a', '2');

  const { sendFrame } = servers[5]._sender;

  servers[5]._sender.sendFrame = function (list, cb) {
    written.push(Buffer.concat(list.map(Buffer.from)).toString().slice(2));
    return sendFrame.call(this, list, cb);
  };
  expect(topics.publish('a', '3', { compress: 'each' })).toBe(20);
  await allArrived(servers, clients);
  expect(written.join('')).toContain('2');
  for (const { received } of clients)
    expect(received).toEqual(['t1', 't2', 't3']);
});

test('who listens to the channel of what is sent hears of each', async () => {
  const { servers } = await serve('native', 20);
  const topics = new Topics();
  const sent = [];
  const listener = ({ websocket }) => sent.push(websocket);

  for (const server of servers) topics.subscribe(server, 'a');
  topics.publish('a', '1');
  diagnostics.subscribe('oxws:websocket:sent', listener);
  try {
    expect(topics.publish('a', '2')).toBe(20);
    expect(broadcast(servers, '3')).toBe(20);
  } finally {
    diagnostics.unsubscribe('oxws:websocket:sent', listener);
  }
  topics.publish('a', '4');
  expect(sent).toEqual([...servers, ...servers]);
});

test('an own send() does not show', async () => {
  const { servers } = await serve('native', 1);
  const [server] = servers;
  const keys = Object.keys(server);

  new Topics().subscribe(server, 'a');
  expect(Object.keys(server)).toEqual(keys);
  expect(server.send).toBe(oxws.prototype.send);
});

test('sockets of two copies of oxws', async () => {
  const copy = anotherCopy();
  const one = await serve('native', 2);
  const { server, message } = await openOf(copy);
  const topics = new Topics();

  for (const each of [...one.servers, server]) topics.subscribe(each, 'a');
  expect(topics.size('a')).toBe(3);
  expect(topics.publish('a', 'text')).toBe(3);
  expect(await message).toBe('text');
  await allArrived(one.servers, one.clients);
  expect(one.clients[0].received).toEqual(['ttext']);
  await topics.close();
  expect(topics.size('a')).toBe(0);
});

test('after close() nobody is subscribed', async () => {
  const { servers } = await serve('native', 3);
  const topics = new Topics();

  for (const server of servers) topics.subscribe(server, 'a');
  await topics.close();
  expect(topics.size('a')).toBe(0);
  expect(topics.topicsOf(servers[0])).toEqual([]);
  expect(topics.subscribe(servers[0], 'a')).toBe(false);
  expect(topics.publish('a', 'nobody')).toBe(0);
  await topics.close();
});

test('clients subscribe, too', async () => {
  const { wss, url } = await listen({ WebSocketServer: oxws.WebSocketServer });
  const connected = once(wss, 'connection');
  const client = dial({ WebSocket: oxws }, url);
  const topics = new Topics();

  expect(topics.subscribe(client, 'a')).toBe(false);

  const [[server]] = await Promise.all([connected, once(client, 'open')]);
  const message = once(server, 'message');

  expect(topics.subscribe(client, 'a')).toBe(true);
  expect(topics.publish('a', 'text')).toBe(1);
  expect(String((await message)[0])).toBe('text');
});

test('what is wrong is a TypeError', async () => {
  const { servers } = await serve('native', 1);
  const topics = new Topics();
  const [server] = servers;

  for (const wrong of [undefined, null, {}, new ws(null, undefined, {})]) {
    expect(() => topics.subscribe(wrong, 'a')).toThrow(TypeError);
    expect(() => topics.unsubscribe(wrong)).toThrow(TypeError);
    expect(() => topics.topicsOf(wrong)).toThrow(TypeError);
  }
  for (const wrong of [undefined, null, 7, Symbol('a'), '\ud800']) {
    const err = new TypeError('The topic must be a well-formed string');

    expect(() => topics.subscribe(server, wrong)).toThrow(err);
    expect(() => topics.isSubscribed(server, wrong)).toThrow(err);
    expect(() => topics.size(wrong)).toThrow(err);
    expect(() => topics.publish(wrong, 'data')).toThrow(err);
    if (wrong !== undefined) {
      expect(() => topics.unsubscribe(server, wrong)).toThrow(err);
    }
  }
  expect(() => topics.publish('a', new Blob([]))).toThrow(TypeError);
  expect(() => new Topics({ onSlow: 'wait' })).toThrow(TypeError);
  expect(() => new Topics({ onSlow: 'toString' })).toThrow(TypeError);
  expect(() => new Topics({ maxBuffered: -1 })).toThrow(RangeError);
  expect(() => new Topics({ backplane: {} })).toThrow(
    new TypeError('The backplane must have a function "start"')
  );
});
