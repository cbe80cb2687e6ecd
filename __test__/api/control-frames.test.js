'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { thrown } = require('../support/trace');
const { frame, KEY, OPCODE } = require('../support/wire');

const view = new DataView(Uint8Array.from([9, 97, 98, 99]).buffer, 1);

/** `[what, data, text that arrives]` */
const values = [
  ['nothing', undefined, ''],
  ['null', null, ''],
  ['an empty string', '', ''],
  ['a string', 'h\u00e9llo', 'h\u00e9llo'],
  ['zero', 0, '0'],
  ['a number', 12.5, '12.5'],
  ['a Buffer', Buffer.from('abc'), 'abc'],
  ['a Uint8Array', Uint8Array.from([97, 98, 99]), 'abc'],
  ['an ArrayBuffer', Uint8Array.from([97, 98, 99]).buffer, 'abc'],
  ['a DataView', view, 'abc'],
  ['an array', [97, 98, 99], 'abc'],
  ['a Blob', new Blob(['abc']), 'abc'],
  ['125 bytes', 'x'.repeat(125), 'x'.repeat(125)]
];

describeEach(routedPairs, 'a ping or pong', (pair) => {
  test.each(values)('can carry %s', async (_, data, expected) => {
    const { client, server } = await connect(pair);

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      const pinged = once(to, 'ping');
      const answered = once(from, 'pong');

      from.ping(data);

      const [received] = await pinged;

      expect(Buffer.isBuffer(received)).toBe(true);
      expect(String(received)).toBe(expected);
      expect(String((await answered)[0])).toBe(expected);

      const ponged = once(to, 'pong');

      from.pong(data);
      expect(String((await ponged)[0])).toBe(expected);
    }
  });

  test.each(['ping', 'pong'])(
    '%s refuses more than 125 bytes',
    async (name) => {
      const { client, server } = await connect(pair);
      const callback = jest.fn();

      for (const websocket of [client, server]) {
        for (const data of [
          'x'.repeat(126),
          '\u00e9'.repeat(63),
          Buffer.alloc(126),
          new Blob(['x'.repeat(126)])
        ]) {
          expect(thrown(() => websocket[name](data, callback))).toEqual({
            class: 'RangeError',
            message: 'The data size must not be greater than 125 bytes'
          });
        }
        expect(websocket.readyState).toBe(1);
      }
      expect(callback).not.toHaveBeenCalled();
      client.ping('still fine');
      expect(String((await once(server, 'ping'))[0])).toBe('still fine');
    }
  );

  test('takes its callback in any place', async () => {
    const { client } = await connect(pair);

    for (const name of ['ping', 'pong']) {
      for (const args of [[], ['x'], ['x', true], [undefined, undefined]]) {
        expect(
          await new Promise((resolve) => client[name](...args, resolve))
        ).toBeFalsy();
      }
    }
  });
});

describeEach(pairs, 'autoPong', (pair) => {
  test('answers before the listener runs', async () => {
    const { client, server } = await connect(pair, {
      onServer: (server) => server.on('ping', () => server.send('listener'))
    });
    const events = [];
    const finished = new Promise((resolve) => {
      client.on('pong', (data) => events.push(`pong ${data}`));
      client.on('message', (data) => {
        events.push(`message ${data}`);
        if (events.length === 4) resolve();
      });
    });

    expect(server.readyState).toBe(1);
    client.ping('1');
    client.ping('2');
    await finished;
    expect(events.sort()).toEqual([
      'message listener',
      'message listener',
      'pong 1',
      'pong 2'
    ]);
  });

  test.each(['server', 'client'])('can be off on the %s', async (side) => {
    const connection = await connect(pair, { [side]: { autoPong: false } });
    const answering = connection[side];
    const asking = connection[side === 'server' ? 'client' : 'server'];
    const pongs = [];

    asking.on('pong', (data) => pongs.push(String(data)));
    answering.on('ping', (data) => answering.pong(`own ${data}`));
    asking.ping('x');
    await once(asking, 'pong');
    answering.send('later');
    await once(asking, 'message');
    expect(pongs).toEqual(['own x']);
  });
});

describeEach(routedImplementations, 'pings', (row) => {
  const ping = (payload, key) => frame({ opcode: OPCODE.ping, payload, key });

  test.each([
    ['a server', serveRaw, KEY],
    ['a client', dialRaw, undefined]
  ])('are answered one by one by %s', async (_, open, key) => {
    const { websocket, peer } = await open(row);
    const received = [];

    websocket.on('ping', (data) => received.push(String(data)));
    peer.write(ping('a', key), ping('', key), ping('b', key));
    for (const payload of ['a', '', 'b']) {
      expect(await peer.frame()).toMatchObject({
        fin: true,
        opcode: OPCODE.pong,
        payload: Buffer.from(payload)
      });
    }
    expect(received).toEqual(['a', '', 'b']);
  });

  test('after close() are heard but not answered', async () => {
    const { websocket, peer } = await serveRaw(row);
    const received = [];

    websocket.on('ping', (data) => received.push(String(data)));
    websocket.on('pong', (data) => received.push(`pong ${data}`));
    websocket.on('message', (data) => received.push(`message ${data}`));
    websocket.close(1000);
    peer.write(
      ping('late', KEY),
      frame({ opcode: OPCODE.pong, payload: 'late', key: KEY }),
      frame({ opcode: OPCODE.text, payload: 'late', key: KEY }),
      frame({ opcode: OPCODE.close, key: KEY })
    );
    await once(websocket, 'close');
    expect(received).toEqual(['late', 'pong late', 'message late']);
    expect((await peer.frame()).opcode).toBe(OPCODE.close);
    expect(await peer.frame()).toBe(null);
  });

  test('after a close frame are not heard', async () => {
    const { websocket, peer } = await serveRaw(row);
    const onPing = jest.fn();

    websocket.on('ping', onPing);
    websocket.on('message', onPing);
    peer.write(
      frame({ opcode: OPCODE.close, key: KEY }),
      ping('late', KEY),
      frame({ opcode: OPCODE.text, payload: 'late', key: KEY }),
      'no frame at all'
    );
    await once(websocket, 'close');
    expect(onPing).not.toHaveBeenCalled();
  });
});

describeEach(routedImplementations, 'maxPendingAutoPongs', (row) => {
  /**
   * Reads nothing and sends half a million pings at most, until the websocket
   * is gone. Resolves the code of its 'close', null when it lives on.
   */
  async function flood(websocket, peer, key) {
    const pings = Buffer.concat(
      Array(500).fill(
        frame({ opcode: OPCODE.ping, payload: 'x'.repeat(125), key })
      )
    );
    let code = null;
    const closed = new Promise((resolve) => {
      websocket.on('close', (value) => resolve((code = value)));
    });

    peer.socket.pause();
    for (let count = 0; count < 1000 && code === null; count++) {
      await Promise.race([
        closed,
        new Promise((resolve) => peer.socket.write(pings, resolve))
      ]);
    }
    return peer.socket.destroyed ? closed : code;
  }

  test.each([
    ['a server', serveRaw, KEY],
    ['a client', dialRaw, undefined]
  ])('ends a flood that never reads, on %s', async (_, open, key) => {
    const { websocket, peer } = await open(row);
    const onError = jest.fn();

    websocket.on('error', onError);

    expect(await flood(websocket, peer, key)).toBe(1006);
    expect(onError).not.toHaveBeenCalled();
  });

  test('is not reached by pings that are read', async () => {
    const { websocket, peer } = await serveRaw(row, { maxPendingAutoPongs: 1 });

    for (let index = 0; index < 5; index++) {
      peer.write(frame({ opcode: OPCODE.ping, payload: 'x', key: KEY }));
      expect((await peer.frame()).opcode).toBe(OPCODE.pong);
    }
    expect(websocket.readyState).toBe(1);
  });
});
