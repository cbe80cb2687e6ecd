'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { shutdown } = require('../../lib/extra');
const { connect, dial, listen } = require('../support/connection');
const { describeEach, oxws } = require('../support/implementations');
const {
  trackServer,
  trackSocket,
  trackWebSocketServer
} = require('../support/resources');
const { onceClosed } = require('./support/connections');

const rows = ['native', 'adopted', 'TLS'].map((route) => ({
  name: route,
  route,
  WebSocket: oxws,
  WebSocketServer: oxws.WebSocketServer
}));

/** Several clients of a server, all open. */
async function connectMany(row, count) {
  const { wss, url, httpServer } = await listen(row);
  const clients = Array.from({ length: count }, () => dial(row, url));

  await Promise.all(clients.map((client) => once(client, 'open')));
  while (wss.clients.size < count) await once(wss, 'connection');
  return { wss, url, httpServer, clients };
}

/** The status with which an upgrade is refused. */
async function refusal(row, url) {
  const client = dial(row, url);
  const [, response] = await once(client, 'unexpected-response');

  return response.statusCode;
}

describeEach(rows, 'shutdown()', (row) => {
  test('closes all and the server', async () => {
    const { wss, clients, httpServer } = await connectMany(row, 5);
    const closes = Promise.all(clients.map(onceClosed));
    let isClosed = false;

    wss.on('close', () => (isClosed = true));
    expect(await shutdown(wss)).toEqual({ closed: 5, terminated: 0 });
    expect(await closes).toEqual(Array(5).fill([1001, '']));
    expect(isClosed).toBe(true);
    if (httpServer) expect(httpServer.listening).toBe(true);
    expect(wss.clients.size).toBe(0);
  });

  test('says what it is told, to one after the other', async () => {
    const { wss, clients } = await connectMany(row, 4);
    const times = [];
    const closes = clients.map(async (client) => {
      const result = await onceClosed(client);

      times.push(performance.now());
      return result;
    });
    const begin = performance.now();

    await shutdown(wss, { code: 4000, reason: 'update', spread: 400 });
    expect(await Promise.all(closes)).toEqual(Array(4).fill([4000, 'update']));
    expect(times.at(-1) - begin).toBeGreaterThan(250);
    expect(times.at(-1) - times[0]).toBeGreaterThan(150);
  });

  test('terminates those who do not answer', async () => {
    const { wss, clients } = await connectMany(row, 3);

    clients[1].pause();

    const [result] = await Promise.all([
      shutdown(wss, { timeout: 300 }),
      onceClosed(clients[0]),
      onceClosed(clients[2])
    ]);

    expect(result).toEqual({ closed: 2, terminated: 1 });
    clients[1].resume();
  });

  test('refuses upgrades from then on', async () => {
    const { wss, url, clients } = await connectMany(row, 1);

    clients[0].pause();

    const over = shutdown(wss, { timeout: 1000 });

    expect(await refusal(row, url)).toBe(503);
    clients[0].resume();
    await over;
  });

  test('ends where listeners of a client were removed', async () => {
    const { wss, clients } = await connectMany(row, 2);
    const closes = Promise.all(clients.map(onceClosed));

    for (const websocket of wss.clients) websocket.removeAllListeners();
    expect(await shutdown(wss)).toEqual({ closed: 2, terminated: 0 });
    expect(wss.clients.size).toBe(0);
    await closes;
  });

  test.each(['handleProtocols', 'constructor', 'headers', 'open'])(
    'closes the one that is being accepted when it is called (%s)',
    async (place) => {
      let result;
      const callIn = (here) => {
        if (here === place) result ??= shutdown(wss);
      };

      class Accepted extends oxws {
        constructor(...args) {
          super(...args);
          callIn('constructor');
          this.on('open', () => callIn('open'));
        }
      }

      const { wss, url } = await listen(row, {
        WebSocket: Accepted,
        handleProtocols: ([first]) => {
          callIn('handleProtocols');
          return first;
        }
      });

      wss.on('headers', () => callIn('headers'));

      const connected = once(wss, 'connection');

      expect(await onceClosed(dial(row, url, ['a']))).toEqual([1001, '']);
      await connected;
      expect(await result).toEqual({ closed: 1, terminated: 0 });
      expect(wss.clients.size).toBe(0);
    }
  );

  test('is one, however often it is called', async () => {
    const { wss } = await connectMany(row, 2);
    const results = [shutdown(wss), shutdown(wss, { code: 4000 })];

    expect(await Promise.all(results)).toEqual(
      Array(2).fill({ closed: 2, terminated: 0 })
    );
    expect(await shutdown(wss)).toEqual({ closed: 2, terminated: 0 });
  });
});

test('a server without clients closes at once', async () => {
  const { wss } = await listen(rows[0]);

  expect(await shutdown(wss)).toEqual({ closed: 0, terminated: 0 });
});

test('a server that is closed already is no error', async () => {
  const { wss, client } = await connect(rows[0]);
  const closed = onceClosed(client);

  wss.close();
  expect(await shutdown(wss)).toEqual({ closed: 1, terminated: 0 });
  await closed;
  expect(wss.clients.size).toBe(0);
});

test('upgrades that are handed over are refused, too', async () => {
  const server = trackServer(http.createServer());
  const wss = trackWebSocketServer(new oxws.Server({ noServer: true }));

  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, () => {
      throw new Error('it connects');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await shutdown(wss);

  const socket = trackSocket(net.connect(server.address().port, '127.0.0.1'));

  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  );

  const [head] = await once(socket, 'data');

  expect(String(head)).toMatch(/^HTTP\/1\.1 503 /);
});

test.each([
  [{ code: 1005 }, TypeError],
  [{ reason: 'x'.repeat(124) }, RangeError],
  [{ timeout: -1 }, RangeError],
  [{ spread: '1' }, TypeError]
])('%j is refused, and nothing is closed', async (options, error) => {
  const { wss, client } = await connect(rows[0]);

  await expect(shutdown(wss, options)).rejects.toThrow(error);
  expect(client.readyState).toBe(1);
  expect((await connect(rows[0])).client.readyState).toBe(1);
});
