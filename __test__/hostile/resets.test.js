'use strict';

const { once } = require('events');
const net = require('net');

const { listen } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { trackSocket } = require('../support/resources');

const COUNT = 20;

const request = (...fields) =>
  ['GET / HTTP/1.1', 'Host: a', ...fields, '\r\n'].join('\r\n');

const incomplete = request('Upgrade: websocket', 'Connection: Upgrade');
const complete = request(
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
);

const rows = routedImplementations.filter(({ route }) => route !== 'TLS');

describeEach(rows, 'a client that resets what is refused', ({ lib, route }) => {
  const row = { WebSocketServer: lib.WebSocketServer, route };

  async function connected(port) {
    const socket = trackSocket(net.connect(port, '127.0.0.1'));

    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  /** That it closes says that no connection is left. */
  async function close({ wss, httpServer }) {
    const closed = once(httpServer ?? wss._server, 'close');

    wss.close();
    httpServer?.close();
    await closed;
  }

  test.each([
    ['at once', incomplete],
    ['with more behind it', `${incomplete}more`]
  ])('is gone: %s', async (_, bytes) => {
    const listening = await listen(row);

    for (let i = 0; i < COUNT; i++) {
      const socket = await connected(listening.port);

      socket.write(bytes, () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    await close(listening);
  });

  test('is gone: while it is decided', async () => {
    let onAsked;
    const listening = await listen(row, {
      verifyClient: (info, cb) => onAsked(cb)
    });

    for (let i = 0; i < COUNT; i++) {
      const asked = new Promise((resolve) => (onAsked = resolve));
      const socket = await connected(listening.port);

      socket.write(complete);

      const decide = await asked;

      socket.write('more', () => socket.resetAndDestroy());
      await once(socket, 'close');
      decide(false);
    }
    await close(listening);
  });
});
