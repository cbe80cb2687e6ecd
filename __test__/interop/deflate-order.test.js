'use strict';

const { once } = require('events');
const { IncomingMessage } = require('http');
const { Duplex } = require('stream');

const { compressingRoles, deflate } = require('../support/compression');
const { connect } = require('../support/connection');
const {
  describeEach,
  oxws,
  pairs,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { describeError, trace } = require('../support/trace');
const { closePayload, frame, OPCODE } = require('../support/wire');
const { converse, noise } = require('./deflate-conversation');

const { binary, close, ping, text } = OPCODE;

/** Long enough to be compressed and inflated beside everything else. */
const LARGE = 4 << 20;
const large = Buffer.alloc(LARGE, 'The quick brown fox. ');

/** Takes long to compress, so that it is not done before the tick ends. */
const slow = noise(1 << 20).map((byte) => byte & 0x7f);

const compression = {
  server: { perMessageDeflate: { threshold: 0 } },
  client: { perMessageDeflate: { threshold: 0 } }
};

/** Notes bufferedAmount behind each call, and how its callback was called. */
function recorder(websocket) {
  const amounts = [];
  const calls = [];
  let count = 0;

  return {
    amounts,
    calls,
    /** @returns {Function} the callback to pass to the call */
    callback() {
      const number = count++;

      return (err) => calls.push([number, err ? describeError(err) : null]);
    },
    note: () => amounts.push(websocket.bufferedAmount)
  };
}

/** Everything that can be sent, behind `first`. */
function sendAll(websocket, first) {
  const record = recorder(websocket);
  const { callback, note } = record;

  for (const send of [
    () => websocket.send(first, callback()),
    () => websocket.ping('ping', undefined, callback()),
    () => websocket.send('small', callback()),
    () => websocket.send('plain', { compress: false }, callback()),
    () => websocket.send(slow, callback()),
    () => websocket.pong('pong', undefined, callback()),
    () => websocket.send('', callback()),
    () => websocket.send('one ', { fin: false }, callback()),
    () => websocket.send(slow, { fin: false }, callback()),
    () => websocket.send('two', { fin: true }, callback()),
    () => websocket.send(new Blob(['blob']), callback()),
    () => websocket.send(Buffer.alloc(100000, 'x'), callback())
  ]) {
    send();
    note();
  }
  return record;
}

/** `[what, play(from, to)]`; a play resolves what it recorded. */
const plays = [
  [
    'close() behind messages to compress',
    async (from, to) => {
      const record = sendAll(from, slow);

      from.close(1000, 'behind');
      record.note();
      await once(to, 'close');
      return record;
    }
  ],
  [
    'close() behind a short message to compress',
    async (from, to) => {
      const record = sendAll(from, 'short');

      from.close(1000, 'behind');
      record.note();
      await once(to, 'close');
      return record;
    }
  ],
  [
    'the close frame of the other side meanwhile',
    async (from, to) => {
      const record = sendAll(from, slow);

      to.close(1001, 'meanwhile');
      await once(to, 'close');
      return record;
    }
  ],
  [
    'all of it once more in the last callback',
    async (from, to) => {
      const done = new Promise((resolve) => {
        from.send('first', () => {
          const record = sendAll(from, slow);

          record.note();
          from.close();
          resolve(record);
        });
      });

      await once(to, 'close');
      return done;
    }
  ],
  [
    'sends after close()',
    async (from, to) => {
      const record = recorder(from);

      from.send(slow, record.callback());
      from.close();
      from.send('late', record.callback());
      record.note();
      from.ping('late', undefined, record.callback());
      record.note();
      await once(to, 'close');
      // The first may be sent before or after the others have failed.
      record.calls.sort(([one], [other]) => one - other);
      return record;
    }
  ]
];

/** How a play goes: the events of both sides, and what the sender recorded. */
async function perform(pair, sender, play) {
  let record;
  const traces = await converse(pair, compression, async (...sides) => {
    if (sender === 'server') sides.reverse();
    record = await play(...sides);
  });
  const { amounts, calls } = record;

  return { traces, amounts, calls };
}

/** How much of it the other side still gets is left to chance. */
async function terminate(pair, sender) {
  const sides = await connect(pair, compression);
  const from = sides[sender];
  const events = trace(from);
  const { amounts, calls } = sendAll(from, slow);

  from.terminate();
  amounts.push(from.bufferedAmount);
  await once(from, 'close');
  return { events, amounts, calls };
}

const [oracle, ...others] = pairs.concat(
  routedPairs.filter(({ isAdopted }) => isAdopted === false)
);

describeEach(others, 'as between ws and ws:', (pair) => {
  describe.each(['client', 'server'])('the %s sends', (sender) => {
    test.each(plays)('%s', async (_, play) => {
      const expected = await perform(oracle, sender, play);

      expect(await perform(pair, sender, play)).toEqual(expected);
    });

    test('terminate() while a message is compressed', async () => {
      const expected = await terminate(oracle, sender);

      expect(await terminate(pair, sender)).toEqual(expected);
    });
  });
});

describeEach(pairs, 'compression', (pair) => {
  test('of many large messages leaves no bufferedAmount', async () => {
    const { client, server } = await connect(pair, compression);
    const count = 8;
    const arrived = new Promise((resolve) => {
      let left = count;

      server.on('message', () => --left === 0 && resolve());
    });
    const sent = Array.from(
      { length: count },
      () => new Promise((resolve) => client.send(large, resolve))
    );

    expect(client.bufferedAmount).toBe(count * LARGE);
    await Promise.all([...sent, arrived]);
    expect(client.bufferedAmount).toBe(0);
  });

  test('tells the callbacks when the other side has gone', async () => {
    const { client, server } = await connect(pair, compression);
    const results = [];
    const closed = once(client, 'close');

    for (let index = 0; index < 50; index++) {
      client.send(large, (err) => results.push([index, err instanceof Error]));
    }
    server.terminate();
    await closed;
    expect(results.map(([index]) => index)).toEqual([...Array(50).keys()]);
    expect(results[49]).toEqual([49, true]);
  });
});

for (const { role, key, open } of compressingRoles) {
  describeEach(routedImplementations, `a compressing ${role}`, (row) => {
    const make = (fields) => frame({ key, ...fields });
    const bomb = make({ opcode: binary, rsv: 4, payload: deflate(large) });
    const tiny = make({ opcode: text, rsv: 4, payload: deflate('tiny') });

    test('reports a violation behind what it was compressing', async () => {
      const { websocket, peer } = await open(row);

      websocket.on('error', () => {});
      websocket.send(large);
      websocket.send('small');
      peer.write(make({ opcode: 3 }));

      const opcodes = [];

      for (let index = 0; index < 3; index++) {
        const { opcode } = await peer.frame();

        opcodes.push(opcode);
      }
      expect(opcodes).toEqual([binary, text, close]);
    });

    test('keeps the order behind a message to inflate', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);

      peer.write(
        tiny,
        bomb,
        make({ opcode: ping, payload: 'p' }),
        make({ opcode: text, payload: 'plain' }),
        bomb,
        tiny,
        make({ opcode: close, payload: closePayload(1000) })
      );
      await once(websocket, 'close');
      expect(
        events.map(({ event, data, code }) =>
          event === 'message' ? data.split(' ')[0] : [event, code]
        )
      ).toEqual([
        'Buffer(4)',
        `Buffer(${LARGE})`,
        ['ping', undefined],
        'Buffer(5)',
        `Buffer(${LARGE})`,
        'Buffer(4)',
        ['close', 1000]
      ]);
    });

    test('delivers what was being inflated at terminate()', async () => {
      const { websocket, peer } = await open(row);
      const events = [];

      websocket.on('message', (data) => {
        events.push(data.length);
        websocket.terminate();
      });
      websocket.on('close', (code) => events.push(code));
      peer.write(tiny, bomb, tiny);
      await once(websocket, 'close');
      expect(events).toEqual([4, LARGE, 4, 1006]);
    });

    test('delivers nothing while it is paused', async () => {
      const { websocket, peer } = await open(row);
      const events = [];

      websocket.on('message', (data) => {
        events.push(data.length);
        if (events.length > 1) return;
        websocket.pause();
        websocket.ping();
      });
      peer.write(bomb);
      expect((await peer.frame()).opcode).toBe(ping);
      peer.write(bomb, tiny, make({ opcode: close }));
      websocket.resume();
      await once(websocket, 'close');
      expect(events).toEqual([LARGE, LARGE, 4]);
    });
  });
}

test('a Duplex that closes, and is not destroyed, loses what is compressed', async () => {
  const socket = new Duplex({ read() {}, write: (_, __, cb) => cb() });

  Object.defineProperty(socket, 'destroyed', { get: () => false, set() {} });

  const request = Object.assign(new IncomingMessage(socket), {
    method: 'GET',
    httpVersion: '1.1',
    url: '/',
    headers: {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'sec-websocket-extensions': 'permessage-deflate'
    }
  });
  const wss = new oxws.WebSocketServer({
    noServer: true,
    perMessageDeflate: { threshold: 0 }
  });
  const websocket = await new Promise((resolve) =>
    wss.handleUpgrade(request, socket, Buffer.alloc(0), resolve)
  );
  const events = [];

  websocket.on('close', (code) => events.push(code));
  websocket.send(slow, (err) => events.push(err.message));
  socket.emit('close');
  while (events.length < 2) await new Promise(setImmediate);
  expect(events).toEqual([
    'The socket was closed while data was being compressed',
    1006
  ]);
});
