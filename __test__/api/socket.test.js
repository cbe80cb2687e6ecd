'use strict';

const { once } = require('events');
const net = require('net');

const { connect } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedPairs
} = require('../support/implementations');
const { frame, OPCODE } = require('../support/wire');

/** Settles with the code of 'close'. */
const closeOf = (websocket) =>
  new Promise((resolve) => websocket.on('close', resolve));

describeEach(routedPairs, 'the socket of a WebSocket', (pair) => {
  test('is a net.Socket with the addresses of the connection', async () => {
    const { client, server, request, url } = await connect(pair);
    const port = Number(new URL(url).port);
    const near = client._socket;
    const far = server._socket;

    expect(near).toBeInstanceOf(net.Socket);
    expect(far).toBeInstanceOf(net.Socket);
    expect(request.socket).toBe(far);
    expect([near.remoteAddress, near.remotePort, near.remoteFamily]).toEqual([
      '127.0.0.1',
      port,
      'IPv4'
    ]);
    expect([far.localAddress, far.localPort]).toEqual(['127.0.0.1', port]);
    expect([far.remoteAddress, far.remotePort]).toEqual([
      near.localAddress,
      near.localPort
    ]);
    expect(far.address()).toEqual({
      address: '127.0.0.1',
      family: 'IPv4',
      port
    });
  });

  test('is there from open to the end of time', async () => {
    let before;
    const { client } = await connect(pair, {
      onClient: (client) => (before = client._socket)
    });
    const socket = client._socket;
    const closed = closeOf(client);

    expect(before).toBe(null);
    expect(socket).not.toBe(null);
    expect([socket.readyState, socket.writable, socket.destroyed]).toEqual([
      'open',
      true,
      false
    ]);
    client.close();
    await closed;
    expect(client._socket).toBe(socket);
    expect([socket.writable, socket.destroyed]).toEqual([false, true]);
  });

  test('has methods that return it', async () => {
    const { client } = await connect(pair);
    const socket = client._socket;

    expect(socket.setNoDelay(true)).toBe(socket);
    expect(socket.setKeepAlive(true, 1000)).toBe(socket);
    // Since Node.js 24; the kernel has it then.
    expect(socket.setTypeOfService?.(0x10) ?? socket).toBe(socket);
    expect(socket.getTypeOfService?.() ?? 0x10).toBe(0x10);
    expect(socket.setTimeout(0)).toBe(socket);
    expect(socket.unref()).toBe(socket);
    expect(socket.ref()).toBe(socket);
    client.send('still works');
  });

  test('writes raw bytes between the frames', async () => {
    const { client, server } = await connect(pair);
    const received = [];
    const finished = new Promise((resolve) => {
      client.on('message', (data) => {
        received.push(String(data));
        if (received.length === 3) resolve();
      });
    });

    server.send('one');
    server._socket.write(frame({ opcode: OPCODE.text, payload: 'two' }));
    server.send('three');
    await finished;
    expect(received).toEqual(['one', 'two', 'three']);
  });

  test('cork() and uncork() gather what is sent', async () => {
    const { client, server } = await connect(pair);
    const received = [];

    client.on('message', (data) => received.push(String(data)));
    server._socket.cork();
    for (const data of ['one', 'two', 'three']) server.send(data);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(received).toEqual([]);
    expect(server.bufferedAmount).toBeGreaterThan(0);
    server._socket.uncork();
    while (received.length < 3) await once(client, 'message');
    expect(received).toEqual(['one', 'two', 'three']);
  });

  test("emits 'drain' when what was buffered is gone", async () => {
    const { client, server } = await connect(pair);
    let received = 0;

    client.on('message', () => received++);
    client.pause();

    const drained = once(server._socket, 'drain');

    for (let count = 0; count < 32; count++) server.send(Buffer.alloc(1 << 20));
    expect(server._socket.writableLength).toBeGreaterThan(0);
    client.resume();
    await drained;
    expect(server._socket.writableLength).toBe(0);
    while (received < 32) await once(client, 'message');
  });

  test.each([
    ['destroy', (socket) => socket.destroy()],
    ['end', (socket) => socket.end()],
    ['destroy with an error', (socket) => socket.destroy(new Error('x'))],
    ['destroySoon', (socket) => socket.destroySoon()]
  ])('%s() closes abnormally and without an error', async (_, end) => {
    const { client, server } = await connect(pair);
    const closed = Promise.all([closeOf(client), closeOf(server)]);
    const onError = jest.fn();

    client.on('error', onError);
    server.on('error', onError);
    end(server._socket);
    expect(await closed).toEqual([1006, 1006]);
    expect(onError).not.toHaveBeenCalled();
  });

  test("emits 'close' when the connection ends", async () => {
    const { client, server } = await connect(pair);
    const events = [];
    const closed = Promise.all(
      [client, server].map(
        (websocket) =>
          new Promise((resolve) => {
            websocket._socket.on('close', (hadError) => {
              events.push(hadError);
              resolve();
            });
          })
      )
    );

    client.close();
    await closed;
    expect(events).toEqual([false, false]);
  });

  test("shows its bytes to a 'data' listener", async () => {
    const { client, server } = await connect(pair);
    const chunks = [];
    const received = [];

    client._socket.on('data', (chunk) => chunks.push(chunk));
    client.on('message', (data) => received.push(String(data)));
    server.send('one');
    await once(client, 'message');
    server.send('two');
    await once(client, 'message');
    expect(received).toEqual(['one', 'two']);
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.concat(
        ['one', 'two'].map((payload) => frame({ opcode: OPCODE.text, payload }))
      )
    );
  });
});

describeEach(pairs, 'what packages reach for', (pair) => {
  test('_sender.sendFrame() writes a frame made once', async () => {
    const { server, client } = await connect(pair);
    const { Sender } = server.constructor;
    const list = Sender.frame(Buffer.from('for all'), {
      readOnly: false,
      mask: false,
      rsv1: false,
      opcode: 1,
      fin: true
    });
    const received = once(client, 'message');

    await new Promise((resolve) => server._sender.sendFrame(list, resolve));
    expect(String((await received)[0])).toBe('for all');
  });

  test('_receiver.removeAllListeners() stops the pongs', async () => {
    const { server, client } = await connect(pair);
    const onPong = jest.fn();

    client.on('pong', onPong);
    server._receiver.removeAllListeners('ping');
    client.ping('unheard');
    client.send('x');
    await once(server, 'message');
    server.send('y');
    await once(client, 'message');
    expect(onPong).not.toHaveBeenCalled();
  });

  test('a WebSocket emits what a program emits', async () => {
    const { server } = await connect(pair);
    const received = once(server, 'message');

    server.emit('message', Buffer.from('made up'), false);
    expect(String((await received)[0])).toBe('made up');
  });
});

describeEach(pairs, 'a broken connection', (pair) => {
  test('after resetAndDestroy() is abnormal for both', async () => {
    const { client, server } = await connect(pair);
    const closed = Promise.all([closeOf(client), closeOf(server)]);

    server._socket.resetAndDestroy();
    expect(await closed).toEqual([1006, 1006]);
  });

  test('by resetAndDestroy() is so after what was sent', async () => {
    const { client, server } = await connect(pair);
    const received = once(client, 'message');
    const closed = closeOf(server);
    const results = [];

    server.send('x', (err) => results.push(err ?? null));
    server._socket.resetAndDestroy();
    expect(String((await received)[0])).toBe('x');
    await closed;
    expect(results).toEqual([null]);
  });
});

describeEach(routedPairs, 'a socket first asked for', (pair) => {
  // Some of these are between the end of the connection and 'close'.
  const rounds = Array.from({ length: 8 }, (_, index) => index);

  test.each(['client', 'server'])(
    'while the %s closes keeps no close back',
    async (side) => {
      for (const count of rounds) {
        const connection = await connect(pair);
        const closed = Promise.all([
          closeOf(connection.client),
          closeOf(connection.server)
        ]);

        connection[side].close(1000);
        for (let round = 0; round < count; round++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        void connection[side]._socket;
        expect(await closed).toEqual([1000, 1000]);
      }
    }
  );
});
