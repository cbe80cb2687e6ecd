'use strict';

const { linesOf } = require('../support/drivers');
const { describeEach, implementations } = require('../support/implementations');

/** 1 GiB with `OXWS_STORMS=full npx jest __test__/hostile/slow` */
const MEBIBYTES = process.env.OXWS_STORMS === 'full' ? 1024 : 96;

/**
 * Sends so many MiB in messages of `size` bytes to peers that do not read, and
 * terminates them; then does so once more. Prints the MiB that bufferedAmount
 * tells, those by which the process grew from the first to the second end, and
 * the callbacks that are missing.
 */
async function program(WebSocket, mebibytes, size, route) {
  globalThis.afterEach = () => {};

  const fs = require('fs');
  const { once } = require('events');
  const { rawClient } = require('./__test__/support/raw');
  const { routes } = require('./__test__/support/routes');
  const httpServer = routes[route].createServer();
  const wss = httpServer
    ? new WebSocket.Server({ server: httpServer })
    : new WebSocket.Server({ port: 0, host: '127.0.0.1' });
  let missing = 0;

  async function storm() {
    for (let index = 0; index < 4; index++) {
      const { socket } = await rawClient(wss.address().port, { route });

      socket.pause();
      socket.on('error', () => {});
    }
    while (wss.clients.size < 4) await new Promise(setImmediate);

    for (let sent = 0; sent < mebibytes << 20; sent += 4 * size) {
      for (const client of wss.clients) {
        missing++;
        client.send(Buffer.alloc(size, 1), () => missing--);
      }
      await new Promise(setImmediate);
    }

    let buffered = 0;

    for (const client of wss.clients) {
      buffered += client.bufferedAmount;
      client.terminate();
    }
    while (wss.clients.size > 0) await new Promise(setImmediate);
    return buffered / 1048576;
  }

  /** In MiB, once V8 has given back, on another thread, what Buffers had. */
  async function memory() {
    let least = Infinity;

    for (let look = 0; look < 10; look++) {
      global.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));

      const status = fs.readFileSync('/proc/self/status', 'latin1');
      const [, kibibytes] = /^VmRSS:\s*(\d+)/m.exec(status);

      least = Math.min(least, kibibytes / 1024);
    }
    return least;
  }

  if (httpServer) httpServer.listen(0, '127.0.0.1');
  if (!wss.address()) await once(wss, 'listening');

  const buffered = await storm();
  const before = await memory();

  await storm();
  console.log(Math.round(buffered));
  console.log(Math.round((await memory()) - before));
  console.log(missing);
  process.exit();
}

const isLinux = process.platform === 'linux';

describeEach(isLinux ? implementations : [], 'a slow reader', ({ name }) => {
  test.each([
    ['native', 100000],
    ['native', 2000000],
    ['adopted', 100000],
    ['TLS', 100000]
  ])('is told of and forgotten, %s, %i bytes', async (route, size) => {
    const [buffered, grown, missing] = await linesOf(
      { library: name, env: {} },
      program,
      { args: [MEBIBYTES, size, route], flags: ['--expose-gc'] }
    );

    // The kernel has some of it.
    expect(Number(buffered)).toBeGreaterThan(MEBIBYTES - 50);
    expect(Number(buffered)).toBeLessThan(MEBIBYTES + 10);
    expect(missing).toBe('0');
    // Node gives back late what ws leaves to it.
    if (name === 'oxws' && route !== 'TLS') {
      expect(Number(grown)).toBeLessThan(40);
    }
  });
});
