'use strict';

const { once } = require('events');

const {
  canAdopt,
  describeEach,
  implementations,
  isReadHere
} = require('../support/implementations');
const { rawServer } = require('../support/raw');
const {
  trackServer,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { routes } = require('../support/routes');

/** Connections, one after the other: what comes too early does not always. */
const ROUNDS = 20;

const rows = implementations.flatMap((implementation) =>
  Object.entries(routes).map(([name, route]) => ({
    ...implementation,
    name: `${name}: ${implementation.name}`,
    route
  }))
);

/** The port of a server on that route, and the WebSocketServer. */
async function listen({ lib, route }) {
  const server = route.createServer();
  const wss = trackWebSocketServer(
    new lib.WebSocketServer(
      server === null ? { host: '127.0.0.1', port: 0 } : { server }
    )
  );

  if (server !== null) trackServer(server).listen(0, '127.0.0.1');
  await once(wss, 'listening');
  return wss;
}

/** Who hears what, when each side greets the other at once. */
async function greet(wss, { lib, route }) {
  const heard = [];
  const { port } = wss.address();
  const client = trackWebSocket(
    new lib.WebSocket(
      `${route.scheme}://127.0.0.1:${port}`,
      route.clientOptions()
    )
  );
  const [[websocket]] = await Promise.all([
    new Promise((resolve) =>
      wss.once('connection', (websocket) => {
        websocket.send('from the server');
        websocket.on('message', (data) => heard.push(String(data)));
        resolve([websocket]);
      })
    ),
    new Promise((resolve) => {
      client.on('open', () => client.send('from the client'));
      client.on('message', (data) => {
        heard.push(String(data));
        resolve();
      });
    })
  ]);

  while (heard.length < 2) await once(websocket, 'message');
  client.close();
  await Promise.all([once(client, 'close'), once(websocket, 'close')]);
  return heard;
}

/** Where one and the same reads both sides. */
const rowsInOrder = rows.filter((row) => canAdopt || isReadHere(row));

describeEach(rowsInOrder, 'the first messages of both sides', (row) => {
  test('are heard in the order in which they were sent', async () => {
    const wss = await listen(row);

    for (let round = 0; round < ROUNDS; round++) {
      expect(await greet(wss, row)).toEqual([
        'from the server',
        'from the client'
      ]);
    }
  });
});

describeEach(rows.filter(isReadHere), 'a client that is terminated', (row) => {
  // More writes than the kernel has under way before the first is acknowledged:
  // the last ones have not arrived when the first one is read.
  const MESSAGES = 18;

  /** Sends the next message when the one before it is written. */
  function sendAll(client, count) {
    if (count > 0) client.send('x', () => sendAll(client, count - 1));
  }

  test("is heard before its 'close', if an answer to it fails", async () => {
    const wss = await listen(row);
    const events = [];
    const client = trackWebSocket(
      new row.lib.WebSocket(
        `${row.route.scheme}://127.0.0.1:${wss.address().port}`,
        row.route.clientOptions()
      )
    );
    const [[websocket]] = await Promise.all([
      once(wss, 'connection'),
      once(client, 'open')
    ]);

    client.on('close', () => events.push("client 'close'"));
    websocket.on('message', () => {
      events.push('message');
      client.terminate();
      // Who asks has it written: the client's side answers the first with RST.
      for (const answer of ['one', 'two']) {
        websocket.send(answer);
        void websocket.bufferedAmount;
      }
    });
    sendAll(client, MESSAGES);
    await Promise.all([once(client, 'close'), once(websocket, 'close')]);
    expect(events[0]).toBe('message');
    expect(events.at(-1)).toBe("client 'close'");
  });
});

describeEach(implementations.filter(isReadHere), 'a refused client', (row) => {
  test("hears of a reset before the server's socket is closed", async () => {
    const events = [];
    let peer;
    let end;
    const ended = new Promise((resolve) => (end = resolve));
    const { url } = await rawServer((it) => {
      peer = it;
      peer.write(Buffer.from('HTTP/1.1 404 Not Found\r\n\r\nno'));
      peer.socket.on('close', () => {
        events.push('closed');
        end();
      });
    });
    const client = trackWebSocket(new row.lib.WebSocket(url));

    client.on('error', ({ code }) => events.push(code));
    // The answer is not read.
    await once(client, 'unexpected-response');
    // A timer: sockets are read after it, and then those that it closed tell so.
    await new Promise((resolve) => setTimeout(resolve, 1));
    peer.socket.resetAndDestroy();
    await ended;
    expect(events).toEqual(['ECONNRESET', 'closed']);
  });
});

describeEach(rows.filter(isReadHere), 'a closing handshake', (row) => {
  test.each(['client', 'server'])('that the %s began', async (began) => {
    const wss = await listen(row);
    const client = trackWebSocket(
      new row.lib.WebSocket(
        `${row.route.scheme}://127.0.0.1:${wss.address().port}`,
        row.route.clientOptions()
      )
    );
    const [[server]] = await Promise.all([
      once(wss, 'connection'),
      once(client, 'open')
    ]);
    const sides = { client, server };
    const answered = began === 'client' ? 'server' : 'client';
    const heard = [];

    for (const [name, side] of Object.entries(sides)) {
      side.on('close', () => heard.push(name));
    }
    sides[began].close();
    await Promise.all([once(client, 'close'), once(server, 'close')]);
    // Programs look at `clients` when their own side is closed.
    expect(heard).toEqual(
      row.route.scheme === 'wss' ? [began, answered] : [answered, began]
    );
  });
});
