'use strict';

const {
  describeEach,
  implementations,
  oxws,
  ws
} = require('../support/implementations');
const { describeRoutes, messages, allArrived } = require('./support/matrix');

const fields = {
  readOnly: false,
  mask: false,
  rsv1: false,
  opcode: 1,
  fin: true
};

/** Socket.IO frames a broadcast once and gives the frame to every client. */
describeRoutes('frames made once', (open, route, { serverLib, clientLib }) => {
  test.each([
    ['text', 'packet', { opcode: 1 }],
    ['an empty text', '', { opcode: 1 }],
    ['a Buffer', Buffer.from('bytes'), { opcode: 2 }],
    ['200 bytes', Buffer.alloc(200, 'm'), { opcode: 2 }],
    ['1 MiB', Buffer.alloc(1 << 20, 'l'), { opcode: 2, readOnly: true }]
  ])('%s, are sent by sendFrame()', async (_, data, options) => {
    const { server, client } = await open();
    const arrival = messages(client, 4);
    const frame = serverLib.Sender.frame(
      typeof data === 'string' ? Buffer.from(data) : data,
      { ...fields, ...options }
    );

    server.send('before');
    server._sender.sendFrame(frame);
    await new Promise((resolve, reject) => {
      server._sender.sendFrame(frame, (err) => {
        if (err) reject(err);
        else resolve();
      });
    });
    server.send('after');

    const [before, first, second, after] = await arrival;

    expect([String(before[0]), String(after[0])]).toEqual(['before', 'after']);
    for (const [received, isBinary] of [first, second]) {
      expect(received.equals(Buffer.from(data))).toBe(true);
      expect(isBinary).toBe(options.opcode === 2);
    }
  });

  test('may be masked, by a client', async () => {
    const { server, client } = await open();
    const arrival = messages(server, 1);
    const data = Buffer.from('from the client');

    client._sender.sendFrame(
      clientLib.Sender.frame(data, { ...fields, readOnly: true, mask: true })
    );
    expect(String((await arrival)[0][0])).toBe('from the client');
    expect(String(data)).toBe('from the client');
  });

  test('may be of the other implementation', async () => {
    const { server, client } = await open();
    const arrival = messages(client, 2);

    for (const { Sender } of [ws, oxws]) {
      server._sender.sendFrame(Sender.frame(Buffer.from('frame'), fields));
    }
    expect((await arrival).map(([data]) => String(data))).toEqual([
      'frame',
      'frame'
    ]);
  });

  test('keep their place behind a Blob and before a close', async () => {
    const { server, closed, events } = await open();
    const frame = serverLib.Sender.frame(Buffer.from('frame'), fields);

    server._sender.sendFrame(frame);
    server.send(new Blob(['blob']));
    server.send('text');
    await new Promise((resolve) => server.send('last', resolve));
    server._sender.sendFrame(frame);
    server.close(1000);
    await closed;
    expect(events.client).toEqual([
      '1 message text Buffer(5) frame',
      '1 message binary Buffer(4) blob',
      '1 message text Buffer(4) text',
      '1 message text Buffer(4) last',
      '1 message text Buffer(5) frame',
      '3 close 1000 Buffer(0) '
    ]);
  });

  test('go to all clients of a server', async () => {
    const connections = [await open(), await open(), await open()];
    const arrivals = connections.map(({ client }) => messages(client, 100));

    for (let count = 0; count < 100; count++) {
      const frame = serverLib.Sender.frame(Buffer.from(`${count}`), fields);

      for (const { server } of connections) server._sender.sendFrame(frame);
    }
    for (const arrival of arrivals) {
      expect((await arrival).map(([data]) => Number(data))).toEqual(
        Array.from({ length: 100 }, (_, index) => index)
      );
    }
  });

  test('are refused on a closed connection', async () => {
    const { server, closed } = await open();
    const frame = serverLib.Sender.frame(Buffer.from('late'), fields);

    server.terminate();
    await closed;

    const err = await new Promise((resolve) => {
      server._sender.sendFrame(frame, resolve);
    });

    expect(err.code).toMatch(/^ERR_STREAM_(DESTROYED|WRITE_AFTER_END)$/);
  });

  test('have a sender with the methods of ws', async () => {
    const { server, client } = await open();
    const arrival = messages(client, 1);

    server._sender.send(
      'by the sender',
      { binary: false, compress: false, fin: true, mask: false },
      () => {}
    );
    server._sender.ping('p', false);
    expect(String((await arrival)[0][0])).toBe('by the sender');
    await allArrived(client, server);
    expect(server._sender).toBe(server._sender);
  });
});

describeEach(implementations, 'Sender.frame()', ({ lib }) => {
  test.each([0, 1, 125, 126, 65535, 65536])('of %i bytes', (size) => {
    const options = { ...fields, opcode: 2 };
    const data = Buffer.alloc(size, 'data');

    expect(Buffer.concat(lib.Sender.frame(data, options))).toEqual(
      Buffer.concat(ws.Sender.frame(data, options))
    );
  });
});
