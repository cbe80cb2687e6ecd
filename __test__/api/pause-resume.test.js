'use strict';

const { once } = require('events');

const {
  connect,
  dial,
  dialRaw,
  listen,
  serveRaw
} = require('../support/connection');
const {
  describeEach,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const {
  rawServer,
  rawSocket,
  switchingProtocols,
  upgradeRequest
} = require('../support/raw');
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
      await new Promise((resolve) =>
        peer.socket.write(
          frame({ opcode: OPCODE.text, payload: '1', key }),
          resolve
        )
      );
      await turns(50);
      websocket.terminate();
      await once(websocket, 'close');
      expect(events).toEqual(['1', 1006]);
    });
  });
}

for (const { role, open, key } of roles) {
  describeEach(routedImplementations, `a ${role} that pauses`, (row) => {
    const text = (payload) => frame({ opcode: OPCODE.text, payload, key });
    const closing = frame({
      opcode: OPCODE.close,
      payload: closePayload(4001),
      key
    });

    /** `act` runs in the first message; resolves the peer and the events. */
    async function openActing(act, options) {
      const { websocket, peer } = await open(row, options);
      const events = [];

      websocket.once('message', () => act(websocket));
      websocket.on('message', (data) => events.push(String(data)));

      const closed = new Promise((resolve) => {
        websocket.on('close', (code) => {
          events.push(code, websocket.isPaused);
          resolve();
        });
      });

      return { websocket, peer, events, closed };
    }

    const pause = (websocket) => websocket.pause();

    test.each([
      ['messages', undefined],
      ['messages, a macrotask each', { allowSynchronousEvents: false }]
    ])('gets all %s of the chunk that has begun', async (_, options) => {
      const { websocket, peer, events } = await openActing(pause, options);

      peer.write(...['1', '2', '3', '4', '5'].map(text));
      while (events.length < 5) await turns(1);
      peer.write(text('6'));
      await turns();
      expect(events).toEqual(['1', '2', '3', '4', '5']);
      expect(websocket.readyState).toBe(websocket.OPEN);
      websocket.resume();
      await once(websocket, 'message');
      expect(events.at(-1)).toBe('6');
    });

    test('gets no more chunks, a macrotask for each message', async () => {
      const { websocket, peer, events } = await openActing(pause, {
        allowSynchronousEvents: false
      });
      // A read completes one of them at most.
      const letters = ['a', 'b', 'c', 'd', 'e'];
      const long = letters.map((letter) => letter.repeat(1 << 17));

      peer.write(...long.map(text));
      while (events.length === 0) await turns(1);
      await turns();
      expect(events.map(([letter]) => letter)).toEqual(['a']);
      websocket.resume();
      while (events.length < 5) await once(websocket, 'message');
      expect(events).toEqual(long);
    });

    test('gets no message that ends in a later chunk', async () => {
      const { websocket, peer, events } = await openActing(pause);
      // All of it has come when the first is read, with the second's beginning.
      const payloads = ['a'.repeat(1 << 15), 'b'.repeat(1 << 17)];

      websocket.pause();
      peer.write(...payloads.map(text));
      await turns();
      websocket.resume();
      while (events.length === 0) await turns(1);
      await turns();
      expect(events.map(([letter]) => letter)).toEqual(['a']);
      websocket.resume();
      await once(websocket, 'message');
      expect(events).toEqual(payloads);
    });

    test('gets all of a chunk of a thousand messages', async () => {
      const { peer, events } = await openActing(pause);

      peer.write(...Array(1000).fill(text('x')));
      while (events.length < 1000) await turns(1);
      expect(events).toEqual(Array(1000).fill('x'));
    });

    test('closes with the close frame of the chunk', async () => {
      const { peer, events, closed } = await openActing(pause);

      peer.write(text('1'), text('2'), closing);
      await closed;
      expect(events).toEqual(['1', '2', 4001, true]);
    });

    const goings = [
      ['ends', (socket) => socket.end()],
      ['resets', (socket) => socket.resetAndDestroy()]
    ];

    // Below TLS there is no resetting.
    test.each(row.route === 'TLS' ? goings.slice(0, 1) : goings)(
      'closes when the peer %s',
      async (_, go) => {
        const { peer, events, closed } = await openActing((websocket) => {
          websocket.pause();
          setImmediate(go, peer.socket);
        });

        peer.write(text('1'), text('2'));
        await closed;
        expect(events).toEqual(['1', '2', 1006, true]);
      }
    );

    test('closes when it ends its socket', async () => {
      const { peer, events, closed } = await openActing((websocket) => {
        websocket._socket.end();
        websocket.pause();
      });

      peer.write(text('1'), text('2'));
      await closed;
      expect(events).toEqual(['1', '2', 1006, true]);
    });

    test.each([
      ['behind terminate()', (websocket) => websocket.terminate()],
      ['behind _socket.destroy()', ({ _socket: socket }) => socket.destroy()]
    ])('%s, in every message, closes', async (_, destroy) => {
      const { peer, events, closed } = await openActing((websocket) => {
        destroy(websocket);
        websocket.pause();
        websocket.on('message', pause.bind(null, websocket));
      });

      peer.write(text('1'), text('2'), text('3'));
      await closed;
      expect(events).toEqual(['1', '2', '3', 1006, true]);
    });

    test('for a stream that is destroyed closes', async () => {
      const { websocket, peer } = await open(row);
      const stream = row.lib.createWebSocketStream(websocket);
      const closed = once(stream, 'close');

      stream.on('data', () => stream.destroy());
      peer.write(...['1', '2', '3'].map(text));
      await closed;
      expect(websocket.readyState).toBe(websocket.CLOSED);
    });
  });
}

describeEach(routedImplementations, 'pause() in what came along', (row) => {
  const text = (payload, key) => frame({ opcode: OPCODE.text, payload, key });

  /** Both of 'a', which paused it, and 'b', which came in a chunk of its own. */
  async function expectApart(websocket, events) {
    while (events.length === 0) await turns(1);
    await turns();
    expect(events).toEqual(['a']);
    websocket.resume();
    if (events.length < 2) await once(websocket, 'message');
    expect(events).toEqual(['a', 'b']);
  }

  function pauseInFirst(websocket) {
    const events = [];

    websocket.once('message', () => websocket.pause());
    websocket.on('message', (data) => events.push(String(data)));
    return events;
  }

  test('with the request is for what came behind', async () => {
    const { wss, port } = await listen({
      WebSocketServer: row.lib.WebSocketServer,
      route: row.route
    });
    const peer = await rawSocket(port, row.route);
    const connected = new Promise((resolve) => {
      wss.on('connection', (websocket) => {
        resolve({ websocket, events: pauseInFirst(websocket) });
      });
    });

    wss.on('headers', () => peer.write(text('b', KEY)));
    peer.write(upgradeRequest(), text('a', KEY));

    const { websocket, events } = await connected;
    await expectApart(websocket, events);
  });

  test('with the response is for what came behind', async () => {
    let peer;
    const { url } = await rawServer((it, head) => {
      peer = it;
      peer.write(switchingProtocols(head), text('a'));
    }, row.route);
    const client = { WebSocket: row.lib.WebSocket, route: row.route };
    const websocket = dial(client, url);

    websocket.on('upgrade', () => peer.write(text('b')));
    await expectApart(websocket, pauseInFirst(websocket));
  });
});
