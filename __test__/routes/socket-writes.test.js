'use strict';

const {
  describeRoutes,
  messages,
  allArrived,
  turns
} = require('./support/matrix');
const { routes } = require('./support/routes');
const { frame, KEY, OPCODE } = require('../support/wire');

const served = routes.filter(({ name }) => !/HTTP\/2|Duplex/.test(name));

const sides = [
  ['server', 'client', undefined],
  ['client', 'server', KEY]
];

describeRoutes('writes to the socket', (open, route) => {
  describe.each(sides)('of the %s', (sender, receiver, key) => {
    const text = (payload) => frame({ opcode: OPCODE.text, payload, key });

    test('keep their place among the frames', async () => {
      const connection = await open();
      const { [sender]: from, [receiver]: to } = connection;
      const arrival = messages(to, 5);

      from.send('1');
      from._socket.write(text('2'));
      from.send('3');
      from._socket.write(Buffer.from(text('4')).subarray(0, 3));
      from._socket.write(Buffer.from(text('4')).subarray(3));
      from.send('5');
      expect((await arrival).map(([data]) => String(data))).toEqual([
        '1',
        '2',
        '3',
        '4',
        '5'
      ]);
    });

    test('may be strings in any encoding', async () => {
      const connection = await open();
      const { [sender]: from, [receiver]: to } = connection;
      const arrival = messages(to, 3);

      for (const encoding of ['latin1', 'hex', 'base64']) {
        from._socket.write(text(encoding).toString(encoding), encoding);
      }
      expect((await arrival).map(([data]) => String(data))).toEqual([
        'latin1',
        'hex',
        'base64'
      ]);
    });

    test('call back later and in order', async () => {
      const connection = await open();
      const { [sender]: from, [receiver]: to } = connection;
      const order = [];

      await new Promise((resolve) => {
        from.send('1', () => order.push('1'));
        from._socket.write(text('2'), (err) => order.push('2', err == null));
        from.send('3', () => {
          order.push('3');
          resolve();
        });
        order.push('now');
      });
      expect(order).toEqual(['now', '1', '2', true, '3']);
      await allArrived(from, to);
    });

    test('are held back by cork(), and so are frames', async () => {
      const connection = await open();
      const { [sender]: from, [receiver]: to } = connection;
      const arrival = messages(to, 3);
      const onEarly = jest.fn();

      to.on('message', onEarly);
      from._socket.cork();
      from.send('1');
      from._socket.write(text('2'));
      from.send('3');
      expect(from.bufferedAmount).toBe(9 + (key ? 12 : 0));
      expect(from._socket.writableCorked).toBe(1);
      await turns();
      expect(onEarly).not.toHaveBeenCalled();
      from._socket.uncork();
      expect((await arrival).map(([data]) => String(data))).toEqual([
        '1',
        '2',
        '3'
      ]);
    });

    test('corked twice wait for two uncork()', async () => {
      const connection = await open();
      const { [sender]: from, [receiver]: to } = connection;
      const arrival = messages(to, 1);
      const onEarly = jest.fn();

      to.on('message', onEarly);
      from._socket.cork();
      from._socket.cork();
      from.send('1');
      from._socket.uncork();
      await turns();
      expect(onEarly).not.toHaveBeenCalled();
      from._socket.uncork();
      await arrival;
    });

    test('after the end give an error to the callback', async () => {
      const connection = await open();
      const { [sender]: from } = connection;
      const { _socket: socket } = from;

      from.terminate();
      await connection.closed;

      const err = await new Promise((resolve) => socket.write('x', resolve));

      expect(err.code).toBe(
        route.name === 'HTTP/2'
          ? 'ERR_STREAM_WRITE_AFTER_END'
          : 'ERR_STREAM_DESTROYED'
      );
    });
  });
});

describeRoutes(
  "a 'data' listener on the socket",
  (open) => {
    test('sees the bytes of the frames, and messages still come', async () => {
      const { server, client } = await open({
        client: { generateMask: (mask) => KEY.copy(mask) }
      });
      const arrival = messages(server, 2);
      const seen = [];

      server._socket.on('data', (chunk) => seen.push(chunk.length));
      client.send('one');
      client.send('three');
      await arrival;
      expect(seen.reduce((sum, length) => sum + length)).toBe(9 + 11);
    });

    test('may come and go', async () => {
      const { server, client, closed, events } = await open();
      const onData = jest.fn();

      server._socket.on('data', onData);
      await allArrived(client, server);
      expect(onData).toHaveBeenCalledTimes(1);
      server._socket.removeListener('data', onData);
      await allArrived(client, server);
      expect(onData).toHaveBeenCalledTimes(1);
      client.send('still');
      client.close(1000);
      await closed;
      expect(events.server.slice(2)).toEqual([
        '1 message text Buffer(5) still',
        '3 close 1000 Buffer(0) '
      ]);
    });
  },
  served
);

describeRoutes('bytes put into the socket', (open) => {
  test.each(sides.map(([, receiver, key]) => [receiver, key]))(
    'of the %s by push() are read as frames',
    async (receiver, key) => {
      const { [receiver]: websocket } = await open();
      const arrival = messages(websocket, 1);

      websocket._socket.push(
        frame({ opcode: OPCODE.text, payload: 'pushed', key })
      );
      expect(String((await arrival)[0][0])).toBe('pushed');
    }
  );
});
