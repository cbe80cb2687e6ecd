'use strict';

const { once } = require('events');

const { stats } = require('../../lib/extra');
const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations,
  routedPairs,
  oxws
} = require('../support/implementations');
const { turns } = require('../support/waiting');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

describeEach(routedPairs, 'pause()', (pair) => {
  test('holds messages back until resume()', async () => {
    const { client, server } = await connect(pair);
    const received = [];

    server.on('message', (data) => received.push(String(data)));
    server.pause();
    expect(server.isPaused).toBe(true);
    for (const data of ['1', '2', '3']) client.send(data);
    await turns();
    expect(received).toEqual([]);

    const finished = new Promise((resolve) => {
      server.on('message', () => received.length === 3 && resolve());
    });

    server.resume();
    expect(server.isPaused).toBe(false);
    await finished;
    expect(received).toEqual(['1', '2', '3']);
  });

  test('may be called before the first event', async () => {
    const received = [];
    const { client, server } = await connect(pair, {
      onServer: (server) => {
        server.pause();
        server.on('message', (data) => received.push(String(data)));
      },
      onClient: (client) => client.on('open', () => client.send('early'))
    });

    await turns();
    expect(received).toEqual([]);
    server.resume();
    client.send('late');
    while (received.length < 2) await new Promise(setImmediate);
    expect(received).toEqual(['early', 'late']);
  });

  test('in a listener loses nothing and keeps the order', async () => {
    const { client, server } = await connect(pair);
    const received = [];
    const finished = new Promise((resolve) => {
      server.on('message', (data) => {
        received.push(Number(data));
        if (received.length === 300) resolve();
        server.pause();
        setImmediate(() => server.resume());
      });
    });

    for (let index = 0; index < 300; index++) client.send(`${index}`);
    await finished;
    expect(received).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test('makes the sender wait', async () => {
    const { client, server } = await connect(pair);
    let sent = 0;

    server.pause();
    for (let count = 0; count < 32; count++) {
      client.send(Buffer.alloc(1 << 20), () => sent++);
    }
    await turns();
    expect(sent).toBeLessThan(32);

    let received = 0;
    const finished = new Promise((resolve) => {
      server.on('message', () => ++received === 32 && resolve());
    });

    server.resume();
    await finished;
    while (sent < 32) await new Promise(setImmediate);
  });

  test('does not hold back what we send', async () => {
    const { client, server } = await connect(pair);

    server.pause();
    server.send('still');
    expect(String((await once(client, 'message'))[0])).toBe('still');
  });

  test('ends with close(), and isPaused tells the truth', async () => {
    const { client, server } = await connect(pair);

    server.pause();
    server.on('message', () => {});
    client.send('x');
    client.terminate();
    await once(client, 'close');
    server.resume();
    await once(server, 'close');
    expect(server.isPaused).toBe(false);
  });

  test('before terminate() does not keep the close away', async () => {
    const { client, server } = await connect(pair);
    const closed = Promise.all([once(server, 'close'), once(client, 'close')]);

    server.pause();
    server.terminate();
    expect((await closed)[0][0]).toBe(1006);
    expect(server.isPaused).toBe(true);
    server.resume();
    expect(server.isPaused).toBe(true);
    server.pause();
    expect(server.isPaused).toBe(true);
  });

  test('after close() still lets the handshake finish', async () => {
    const { client, server } = await connect(pair);
    const closed = Promise.all([once(server, 'close'), once(client, 'close')]);

    server.close(1000);
    server.pause();
    server.resume();
    expect((await closed).map(([code]) => code)).toEqual([1000, 1000]);
  });
});

const roles = [
  { role: 'server', open: serveRaw, key: KEY },
  { role: 'client', open: dialRaw, key: undefined }
];

for (const { role, open, key } of roles) {
  describeEach(routedImplementations, `a paused ${role}`, (row) => {
    const text = (payload) => frame({ opcode: OPCODE.text, payload, key });

    test('delivers one message a resume(), then the close', async () => {
      const { websocket, peer } = await open(row);
      const events = [];
      const closed = once(websocket, 'close');

      websocket.on('message', (data) => {
        events.push(String(data));
        websocket.pause();
        setImmediate(() => websocket.resume());
      });
      peer.write(
        text('1'),
        text('2'),
        text('3'),
        frame({ opcode: OPCODE.close, payload: closePayload(1000), key })
      );
      expect((await closed)[0]).toBe(1000);
      expect(events).toEqual(['1', '2', '3']);
    });

    test('delivers what came before FIN once it resumes', async () => {
      const { websocket, peer } = await open(row);
      const events = [];
      const closed = once(websocket, 'close');

      websocket.on('message', (data) => events.push(String(data)));
      websocket.pause();
      peer.socket.end(text('last'));
      await turns();
      expect(events).toEqual([]);
      websocket.resume();
      expect((await closed)[0]).toBe(1006);
      expect(events).toEqual(['last']);
    });

    test('stays paused however often it is asked', async () => {
      const { websocket, peer } = await open(row);
      const onMessage = jest.fn();

      websocket.on('message', onMessage);
      for (let count = 0; count < 3; count++) websocket.pause();
      peer.write(text('x'));
      await turns();
      expect(onMessage).not.toHaveBeenCalled();
      websocket.resume();
      await once(websocket, 'message');
      expect(websocket.isPaused).toBe(false);
    });
  });
}

for (const { role, open, key } of roles) {
  const plain = routedImplementations.filter(({ route }) => route !== 'TLS');

  describeEach(plain, `a paused ${role}`, (row) => {
    test('delivers what has arrived when it is terminated', async () => {
      const { websocket, peer } = await open(row);
      const events = [];

      websocket.on('message', (data) => events.push(String(data)));
      websocket.on('close', (code) => events.push(code));
      websocket.pause();

      // A socket of Node's is read further than its WebSocket.
      const isRead = row.lib === oxws && !stats(websocket).routes.stream;
      const bytesRead = () =>
        isRead ? stats(websocket).bytesReceived : websocket._socket.bytesRead;
      const before = bytesRead();

      peer.write(frame({ opcode: OPCODE.text, payload: '1', key }));
      while (bytesRead() === before) await turns(1);
      websocket.terminate();
      await once(websocket, 'close');
      expect(events).toEqual(['1', 1006]);
    });
  });
}
