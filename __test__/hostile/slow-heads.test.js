'use strict';

const { linesOf, ownDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/**
 * Node's http server answers 408 to a head that has not come after 60 seconds,
 * which it looks for every 30. Here the clock goes faster.
 */
describeEach(ownDrivers.slice(0, 2), 'a head that is not sent', (driver) => {
  test('in time is answered with 408, whatever came of it', async () => {
    const lines = await linesOf(driver, async (WebSocket) => {
      const { once } = require('events');
      const net = require('net');
      const { setInterval } = globalThis;
      const head = [
        'GET / HTTP/1.1',
        'Host: a',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n'
      ].join('\r\n');

      globalThis.setInterval = (listener, delay, ...args) =>
        setInterval(listener, delay === 30000 ? 50 : delay, ...args);

      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

      await once(wss, 'listening');

      const { port } = wss.address();
      const good = new WebSocket(`ws://127.0.0.1:${port}`);
      const answers = ['', 'G', head.slice(0, -2)].map(async (start) => {
        const socket = net.connect(port, '127.0.0.1');
        const chunks = [];

        socket.on('error', () => {});
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.write(start);

        // One byte now and then does not help.
        const timer = setInterval(() => {
          if (start) socket.write('E');
        }, 10);

        await new Promise((resolve) => socket.on('close', resolve));
        clearInterval(timer);
        return String(Buffer.concat(chunks)).split('\r\n')[0];
      });

      await once(good, 'open');
      for (const answer of await Promise.all(answers)) console.log(answer);
      console.log(good.readyState, wss.clients.size);
      process.exit();
    });

    expect(lines).toEqual([
      'HTTP/1.1 408 Request Timeout',
      expect.stringMatching(/^HTTP\/1\.1 40[08] /),
      'HTTP/1.1 408 Request Timeout',
      '1 1'
    ]);
  });
});
