'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { connect, serveRaw } = require('../support/connection');
const {
  implementations,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { trackServer, trackWebSocket } = require('../support/resources');
const { KEY, OPCODE, frame } = require('../support/wire');

/** In milliseconds; the ends send ten times as often. */
const PERIOD = 500;

/** What `body(row)` comes to for each row. All wait at once. */
async function resultsOf(rows, body) {
  const results = {};

  await Promise.all(
    rows.map(async (row) => (results[row.name] = await body(row)))
  );
  return results;
}

const same = (rows, result) =>
  Object.fromEntries(rows.map(({ name }) => [name, result]));

describe('the timeout of a socket', () => {
  test.each(['client', 'server'])(
    'does not fire at either end while the %s sends',
    async (sender) => {
      const counts = await resultsOf(routedPairs, async (pair) => {
        const { client, request, server } = await connect(pair);
        let count = 0;

        for (const socket of [client._socket, server._socket, request.socket]) {
          socket.setTimeout(PERIOD);
          socket.on('timeout', () => count++);
        }

        const timer = setInterval(() => {
          (sender === 'client' ? client : server).send('tick');
        }, PERIOD / 10);

        await new Promise((resolve) => setTimeout(resolve, 2 * PERIOD));
        clearInterval(timer);
        return count;
      });

      expect(counts).toEqual(same(routedPairs, 0));
    }
  );

  test('fires when nothing comes or goes', async () => {
    const states = await resultsOf(routedPairs, async (pair) => {
      const { client, server } = await connect(pair);

      for (const { _socket: socket } of [client, server]) {
        socket.setTimeout(50);
        await once(socket, 'timeout');
      }
      return [client.readyState, server.readyState];
    });

    expect(states).toEqual(same(routedPairs, [1, 1]));
  });

  test('does not fire while parts of a message come', async () => {
    const counts = await resultsOf(routedImplementations, async (row) => {
      const { peer, websocket } = await serveRaw(row);
      const message = frame({
        opcode: OPCODE.binary,
        payload: 'a'.repeat(5000),
        key: KEY
      });
      let count = 0;

      websocket._socket.setTimeout(PERIOD, () => count++);

      const timer = setInterval(() => peer.write('a'), PERIOD / 10);

      peer.write(message.subarray(0, 10));
      await new Promise((resolve) => setTimeout(resolve, 1.5 * PERIOD));
      clearInterval(timer);
      return count;
    });

    expect(counts).toEqual(same(routedImplementations, 0));
  });
});

describe.each(implementations)('a socket given to $name', ({ lib }) => {
  test.each([true, false])('is referenced as before (%s)', async (isOpen) => {
    const wss = new lib.WebSocketServer({ noServer: true });
    const server = trackServer(http.createServer());
    const upgraded = new Promise((resolve) => {
      server.on('upgrade', (request, socket, head) => {
        if (!isOpen) socket.unref();
        wss.handleUpgrade(request, socket, head, resolve);
      });
    });

    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const client = trackWebSocket(
      new lib.WebSocket(`ws://127.0.0.1:${server.address().port}/`)
    );

    client.on('error', () => {});

    const { _socket: socket } = await upgraded;

    expect(socket).toBeInstanceOf(net.Socket);
    expect(socket._handle.hasRef()).toBe(isOpen);
    socket.ref();
    expect(socket._handle.hasRef()).toBe(true);
    socket.unref();
    expect(socket._handle.hasRef()).toBe(false);
  });
});
