'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');

/** Resolves what a message is, as text. */
async function text(websocket) {
  return String((await once(websocket, 'message'))[0]);
}

describeEach(routedPairs, 'what is put in place of a member', (pair) => {
  let ends;

  beforeEach(async () => {
    const { client, server } = await connect(pair);

    ends = [
      [client, server],
      [server, client]
    ];
  });

  test.each(['_socket', '_receiver', '_sender'])('%s is read', (name) => {
    for (const [end] of ends) {
      const member = end[name];

      for (const value of [null, { an: 'object' }, member]) {
        end[name] = value;
        expect(end[name]).toBe(value);
        expect(Object.keys(end)).toContain(name);
      }
    }
  });

  test.each(['_socket', '_receiver', '_sender'])(
    '%s goes with the open',
    async (name) => {
      const { client } = await connect(pair, {
        onClient: (client) => (client[name] = 'mine')
      });

      expect(client[name]).toEqual(expect.any(Object));
    }
  );

  test('it closes without a _sender', async () => {
    const [[client, server]] = ends;
    const closed = [client, server].map((end) => once(end, 'close'));

    server._sender = null;
    server.terminate();

    const codes = (await Promise.all(closed)).map(([code]) => code);

    expect(codes).toEqual([1006, 1006]);
  });

  test('messages come without a _socket', async () => {
    for (const [end, peer] of ends) {
      const { _socket: socket } = end;

      end._socket = null;
      peer.send('in');
      expect(await text(end)).toBe('in');
      end.send('out');
      expect(await text(peer)).toBe('out');
      end._socket = socket;
    }
  });

  test('frames go to the _socket of the _sender', async () => {
    for (const [end, peer] of ends) {
      const { _socket: socket } = end;
      const written = [];
      const mine = {
        cork() {},
        uncork() {},
        write(chunk, cb) {
          written.push(chunk);
          return socket.write(chunk, cb);
        }
      };

      end._sender._socket = mine;
      expect(end._sender._socket).toBe(mine);

      for (const message of ['one', 'two '.repeat(1000)]) {
        const before = written.length;

        end.send(message);
        expect(written.length).toBeGreaterThan(before);
        expect(await text(peer)).toBe(message);
      }
    }
  });

  test('another _sender sends', async () => {
    for (const [end, peer] of ends) {
      const { Sender } = pair.WebSocket;

      end._sender = new Sender(end._socket, end._extensions);
      end.send('by another one');
      expect(await text(peer)).toBe('by another one');
      expect(end.bufferedAmount).toBe(0);
    }
  });
});

describeEach(routedPairs, 'the listener for the bytes of a socket', (pair) => {
  test('is there', async () => {
    const { client, server } = await connect(pair);

    for (const { _socket: socket } of [client, server]) {
      expect(socket.listeners('data').length).toBe(1);
      expect(socket.rawListeners('data').length).toBe(1);
      expect(socket.listenerCount('data')).toBe(1);
    }
  });

  test.each([
    ['those for data', (socket) => socket.removeAllListeners('data')],
    [
      'it alone',
      (socket) => socket.removeListener('data', socket.listeners('data')[0])
    ]
  ])('is removed: %s', async (name, remove) => {
    const { client, server } = await connect(pair);

    for (const [end, peer] of [
      [client, server],
      [server, client]
    ]) {
      const onMessage = jest.fn();

      peer.send('before');
      expect(await text(end)).toBe('before');
      end.on('message', onMessage);
      remove(end._socket);

      const bytes = once(end._socket, 'data');

      peer.send('behind');
      await bytes;
      expect(onMessage).not.toHaveBeenCalled();
    }
  });

  test.each(['emit', 'push'])(
    'comes behind a %s in its place',
    async (name) => {
      const { client, server } = await connect(pair);

      for (const [end, peer] of [
        [client, server],
        [server, client]
      ]) {
        const { _socket: socket } = end;
        const original = socket[name];
        const seen = [];

        socket[name] = function noting(...args) {
          seen.push(args.flat().some((value) => ArrayBuffer.isView(value)));
          return original.apply(this, args);
        };
        peer.send('through it');
        expect(await text(end)).toBe('through it');
        expect(seen).toContain(true);
        delete socket[name];
        expect(socket[name]).toBe(original);
      }
    }
  );
});
