'use strict';

const { linesOf } = require('../support/drivers');
const { describeEach, implementations } = require('../support/implementations');

/**
 * Runs `attack(flood, { wss, wait })` on a server in a process of its own and
 * prints by how many MiB that grew meanwhile, then what a good client hears.
 * `flood(count, hex, times, first)` opens connections in another process, which
 * it resolves, that write `first` and then `hex` so many times; without `first`
 * again and again.
 */
function besieged(attack, options = {}) {
  return `(WebSocket) => (${siege})(WebSocket, ${attack}, ${JSON.stringify(options)})`;
}

async function siege(WebSocket, attack, options) {
  const { spawn } = require('child_process');
  const { once } = require('events');
  const fs = require('fs');
  const resident = () =>
    Number(
      /^VmRSS:\s*(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]
    ) / 1024;
  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1', ...options });

  let connected = 0;

  await once(wss, 'listening');

  const flood = async (count, hex, times, first) => {
    const child = spawn(
      process.execPath,
      [
        '-e',
        `const [port, count, hex, times, first] = JSON.parse(process.argv[1]);
         const chunk = Buffer.from(hex.repeat(times), 'hex');
         const request = [
           'GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade',
           'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
           'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
           'Sec-WebSocket-Extensions: permessage-deflate', '\\r\\n'
         ].join('\\r\\n');
         for (let index = 0; index < count; index++) {
           const socket = require('net').connect(port, '127.0.0.1');
           const write = () => { while (socket.writable && socket.write(chunk)); };
           socket.on('error', () => {});
           socket.write(request);
           socket.once('data', () => {
             socket.resume();
             if (typeof first === 'string') {
               socket.write(Buffer.from(first, 'hex'));
               return socket.write(chunk);
             }
             socket.on('drain', write);
             write();
           });
         }`,
        JSON.stringify([wss.address().port, count, hex, times, first])
      ],
      { stdio: 'ignore' }
    );

    // It ends by itself, too, once all of its connections are closed.
    child.exited = once(child, 'exit');
    while (connected < count) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return child;
  };
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // What is made once is not counted.
  const first = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

  await once(first, 'open');
  first.terminate();
  while (wss.clients.size > 0) await wait(5);

  wss.on('connection', () => connected++);

  const before = resident();
  const child = await attack(flood, { wss, wait });

  console.log(Math.round(resident() - before));
  child.kill('SIGKILL');
  await child.exited;
  for (const client of wss.clients) client.terminate();
  while (wss.clients.size > 0) await wait(5);

  // A good client is served as if nothing had happened.
  const good = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

  wss.removeAllListeners('connection');
  wss.on('connection', (server) => {
    server.on('message', (data) => server.send(data));
  });
  good.on('open', () => good.send('still there?'));
  good.on('message', (data) => {
    console.log(String(data));
    process.exit();
  });
}

const isLinux = process.platform === 'linux';

describeEach(isLinux ? implementations : [], 'memory', ({ name }) => {
  /** The growth in MiB. */
  async function growth(attack, options) {
    const [grown, answer] = await linesOf(
      { library: name, env: {} },
      { toString: () => besieged(attack, options) }
    );

    expect(answer).toBe('still there?');
    return Number(grown);
  }

  test('is bounded while the loop is blocked and empty messages come', async () => {
    const attack = async (flood, { wss }) => {
      wss.on('connection', (server) => server.on('message', () => {}));

      const child = await flood(4, '828000000000', 5000);
      const end = Date.now() + 400;

      while (Date.now() < end);
      return child;
    };

    expect(await growth(attack)).toBeLessThan(60);
  });

  test('is bounded by a WebSocket that is paused', async () => {
    const attack = async (flood, { wss, wait }) => {
      wss.on('connection', (server) => server.pause());

      const child = await flood(1, '828000000000', 5000);

      await wait(400);
      return child;
    };

    expect(await growth(attack)).toBeLessThan(60);
  });

  test('is bounded by one event a macrotask', async () => {
    const attack = async (flood, { wss, wait }) => {
      wss.on('connection', (server) => server.on('message', () => {}));

      const child = await flood(1, '828000000000', 5000);

      await wait(400);
      return child;
    };

    // Objects wait there: the heap of Node.js 26 comes to 70 to 100, and stays.
    expect(
      await growth(attack, { allowSynchronousEvents: false })
    ).toBeLessThan(150);
  });

  test('is not reserved for what a message claims', async () => {
    const attack = async (flood, { wait }) => {
      const body = '61'.repeat(100);
      const header = 'ff000000000600000000000000';

      const child = await flood(100, `c2${header}${body}`, 1, '');

      await wait(100);
      return child;
    };

    expect(await growth(attack, { perMessageDeflate: true })).toBeLessThan(25);
  });

  test('holds little for fragments without end', async () => {
    const attack = async (flood, { wss, wait }) => {
      let failed = 0;

      wss.on('connection', (server) => {
        server.on('error', ({ code }) => {
          if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') failed++;
        });
      });

      const child = await flood(20, '00810000000061', 20000, '028000000000');

      while (failed < 20) await wait(5);
      return child;
    };

    // ws keeps each fragment as a Buffer: 3 MiB a connection.
    expect(await growth(attack)).toBeLessThan(name === 'ws' ? 120 : 40);
  });
});
