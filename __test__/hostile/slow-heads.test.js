'use strict';

const { wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/**
 * Node's http server answers 408 to a head that has not come after 60 seconds,
 * which it looks for every 30. Here it looks sooner, and is less patient.
 */
describeEach(wsAndDrivers, 'a head that is not sent', (driver) => {
  test('in time is answered with 408, whatever came of it', async () => {
    const lines = await linesOf(driver, async (WebSocket) => {
      const { once } = require('events');
      const net = require('net');
      const head = [
        'GET / HTTP/1.1',
        'Host: a',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n'
      ].join('\r\n');

      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

      wss._server.connectionsCheckingInterval = 50;
      await once(wss, 'listening');
      wss._server.headersTimeout = 200;

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
      wss._server.getConnections((_, count) => {
        console.log(count);
        process.exit();
      });
    });

    expect(lines).toEqual([
      'HTTP/1.1 408 Request Timeout',
      expect.stringMatching(/^HTTP\/1\.1 40[08] /),
      'HTTP/1.1 408 Request Timeout',
      '1 1',
      '1'
    ]);
  });

  test('has its time from its first byte on', async () => {
    const lines = await linesOf(driver, async (WebSocket) => {
      const { once } = require('events');
      const net = require('net');

      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

      wss._server.connectionsCheckingInterval = 50;
      await once(wss, 'listening');
      wss._server.headersTimeout = 3600_000;

      const socket = net.connect(wss.address().port, '127.0.0.1');

      await new Promise((resolve) => setTimeout(resolve, 400));

      const start = Date.now();

      wss._server.on('clientError', ({ code }, socket) => {
        console.log(code, Date.now() - start > 250);
        socket.destroy();
      });
      socket.write('G');

      // It has been read when another one has been answered.
      const other = net.connect(wss.address().port, '127.0.0.1');

      other.end('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      other.resume();
      await once(other, 'close');
      wss._server.headersTimeout = 300;
      // The server closes with what it has not read.
      socket.on('error', () => {});
      await new Promise((resolve) => socket.on('close', resolve));
      wss.close();
    });

    expect(lines).toEqual(['ERR_HTTP_REQUEST_TIMEOUT true']);
  });
});
