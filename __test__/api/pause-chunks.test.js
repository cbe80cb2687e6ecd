'use strict';

const { once } = require('events');

const { dial, dialRaw, listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const {
  rawServer,
  rawSocket,
  switchingProtocols,
  upgradeRequest
} = require('../support/raw');
const { turns } = require('../support/waiting');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

// What is read in one go is a chunk: pause() in a message lets the rest of it
// through, and holds back all that is read later.

const roles = [
  { role: 'server', open: serveRaw, key: KEY },
  { role: 'client', open: dialRaw, key: undefined }
];

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

    test('by a long message that it had kept, closes with its peer', async () => {
      const { websocket, peer, events, closed } = await openActing(pause);
      const long = 'a'.repeat(1 << 17);

      websocket.pause();
      peer.write(text(long));
      await turns();
      websocket.resume();
      while (events.length === 0) await turns(1);
      peer.socket.end();
      await closed;
      expect(events).toEqual([long, 1006, true]);
    });

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
