'use strict';

const { errno } = require('os').constants;

const { linesOf, ownDrivers } = require('../support/drivers');
const { failingCalls } = require('../support/failing-calls');
const { describeEach } = require('../support/implementations');

const isLinux = process.platform === 'linux';

/** What comes of sockets that the system takes no notice of, a line each. */
async function conversations(WebSocket, number) {
  const { once } = require('events');
  const fs = require('fs');
  const http = require('http');
  const net = require('net');
  const host = '127.0.0.1';
  const agent = new http.Agent();
  const own = new WebSocket.Server({ port: 0, host });
  const httpServer = http.createServer().listen(0, host);
  const attached = new WebSocket.Server({ server: httpServer });

  for (const wss of [own, attached]) {
    wss.on('connection', (server) => {
      server.on('message', (data) => server.send(data));
    });
  }
  await Promise.all([once(own, 'listening'), once(attached, 'listening')]);

  const { port } = own.address();
  const url = `ws://${host}:${port}`;
  const attachedUrl = `ws://${host}:${attached.address().port}`;
  const descriptors = () => fs.readdirSync('/proc/self/fd').length;
  const fail = (isFailing) => {
    process.env.FAILING_CALL = isFailing ? `epoll_ctl ${number}` : '';
  };

  /** The events of a client, which says something if it can. */
  const converse = (url, options) =>
    new Promise((resolve) => {
      const client = new WebSocket(url, options);
      const heard = [];

      client.on('open', () => client.send('x'));
      client.on('message', (data) => {
        heard.push(String(data));
        client.close(1000);
      });
      client.on('error', ({ code }) => heard.push(code));
      client.on('close', (code) => resolve([...heard, code].join(' ')));
    });
  const all = async () => {
    for (const target of [url, attachedUrl]) {
      for (const options of [{}, { agent }]) {
        console.log(await converse(target, options));
      }
    }
  };

  await all();

  const before = descriptors();

  fail(true);

  const sockets = Array.from({ length: 3 }, () => net.connect(port, host));
  const cpu = process.cpuUsage();
  const time = process.hrtime.bigint();

  // Accepted and closed, one after the other.
  await Promise.all(
    sockets.map((socket) =>
      once(
        socket.resume().on('error', () => {}),
        'close'
      )
    )
  );

  const { user, system } = process.cpuUsage(cpu);
  const passed = Number(process.hrtime.bigint() - time) / 1000;

  console.log(user + system < passed / 2 ? 'refused' : 'spins');
  await all();
  fail(false);
  await all();
  // Never ends when descriptors stay open.
  while (descriptors() > before) await new Promise(setImmediate);
  console.log('good');
  process.exit();
}

describeEach(isLinux ? ownDrivers : [], 'sockets', (driver) => {
  const preloaded = failingCalls();

  test.each(['ENOSPC', 'ENOMEM'])(
    'that cannot be registered, %s, are refused, or left to Node',
    async (code) => {
      const env = { ...driver.env, ...preloaded };
      const good = Array(4).fill('x 1000');

      expect(
        await linesOf({ library: 'oxws', env }, conversations, {
          args: [errno[code]]
        })
      ).toEqual([
        ...good,
        'refused',
        // Dialled by the engine; accepted by it; both left to Node.
        `${code} 1006`,
        'ECONNRESET 1006',
        `${code} 1006`,
        'x 1000',
        ...good,
        'good'
      ]);
    }
  );
});
