'use strict';

const { paths } = require('../support/child');
const { linesOf } = require('../support/drivers');
const { describeEach, implementations } = require('../support/implementations');

/**
 * Storms at their full size: 20 000 connections, 5 000 closing at once, 1 000
 * servers, 100 workers. `OXWS_STORMS=full npx jest __test__/faults`
 */
const isFull = process.env.OXWS_STORMS === 'full';

const isLinux = process.platform === 'linux';

/** What children measure. */
function measures() {
  const fs = require('fs');
  const { once } = require('events');
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  return {
    fs,
    once,
    wait,
    descriptors: () => fs.readdirSync('/proc/self/fd').length,
    threads: () => fs.readdirSync('/proc/self/task').length,
    async memory() {
      global.gc();
      await wait(20);
      global.gc();

      const status = fs.readFileSync('/proc/self/status', 'latin1');

      const resident = Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) * 1024;
      const { heapTotal, heapUsed } = process.memoryUsage();

      // V8 keeps room for what it had once.
      return (resident - heapTotal + heapUsed) / 1048576;
    }
  };
}

/** Runs `main(WebSocket, measures, ...args)` in a child; resolves its lines. */
function lines(library, main, args = []) {
  const source = `(WebSocket, ...args) => (${main})(WebSocket, (${measures})(), ...args)`;

  return linesOf(
    { library, env: {} },
    { toString: () => source },
    { args, flags: ['--expose-gc'] }
  );
}

describeEach(isLinux ? implementations : [], 'a storm', ({ name }) => {
  test('of connections leaves nothing behind', async () => {
    const main = async (WebSocket, { once, wait, ...measure }, count) => {
      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
      let begun = 0;

      wss.on('connection', (server) => {
        server.on('error', () => {});
        server.on('message', () => server.terminate());
      });
      await once(wss, 'listening');

      const url = `ws://127.0.0.1:${wss.address().port}`;
      const ends = ['close', 'terminate', 'send', 'early'];
      const connect = () =>
        new Promise((resolve) => {
          const end = ends[begun++ % ends.length];
          const client = new WebSocket(url);

          client.on('error', () => {});
          client.on('close', resolve);
          if (end === 'early') setImmediate(() => client.terminate());
          else client.on('open', () => client[end]());
        });
      const storm = async (count) => {
        const last = begun + count;
        const lane = async () => {
          while (begun < last) await connect();
        };

        await Promise.all(Array.from({ length: 50 }, lane));
        while (wss.clients.size > 0) await wait(5);
      };

      await storm(count);

      const before = [measure.descriptors(), await measure.memory()];

      await storm(count);
      while (measure.descriptors() > before[0]) await wait(5);
      console.log(Math.round((await measure.memory()) - before[1]));
      process.exit();
    };
    const [grown] = await lines(name, main, [isFull ? 10000 : 800]);

    // ws opens a net.Socket for each, and Node keeps more of what it had.
    expect(Number(grown)).toBeLessThan(name === 'ws' ? 40 : 12);
  });

  test('of closes at once, and of servers, is weathered', async () => {
    const main = async (WebSocket, { once, wait, ...measure }, count) => {
      const before = measure.descriptors();
      const servers = Array.from(
        { length: count / 5 },
        () => new WebSocket.Server({ port: 0, host: '127.0.0.1' })
      );

      await Promise.all(servers.map((wss) => once(wss, 'listening')));
      console.log(new Set(servers.map((wss) => wss.address().port)).size);
      await Promise.all(
        servers.map((wss) => new Promise((resolve) => wss.close(resolve)))
      );

      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

      wss.on('connection', (server) => server.on('error', () => {}));
      await once(wss, 'listening');
      for (const end of ['close', 'terminate']) {
        const clients = [];

        while (clients.length < count) {
          const some = Array.from(
            { length: 50 },
            () => new WebSocket(`ws://127.0.0.1:${wss.address().port}`)
          );

          await Promise.all(some.map((client) => once(client, 'open')));
          clients.push(...some);
        }

        const closed = clients.map((client) => once(client, 'close'));

        for (const server of wss.clients) server[end]();
        for (const client of clients) client[end]();
        await Promise.all(closed);
        while (wss.clients.size > 0) await wait(5);
      }
      await new Promise((resolve) => wss.close(resolve));
      while (measure.descriptors() > before + 4) await wait(5);
      console.log('closed');
    };
    const count = isFull ? 5000 : 250;

    expect(await lines(name, main, [count])).toEqual([
      `${count / 5}`,
      'closed'
    ]);
  });

  test('of workers that end under load leaves nothing behind', async () => {
    const main = async (
      WebSocket,
      { once, wait, ...measure },
      path,
      rounds
    ) => {
      const { Worker } = require('worker_threads');
      const program = (WebSocket, port) => {
        const data = require('crypto').randomBytes(50000).toString('base64');
        const wss = new WebSocket.Server(
          { port: 0, host: '127.0.0.1', perMessageDeflate: true },
          () => {
            for (let index = 0; index < 4; index++) {
              const client = new WebSocket(
                `ws://127.0.0.1:${wss.address().port}`
              );

              client.on('open', () => {
                client.send(index % 2 ? 'x' : data);
                client.send('y');
              });
              client.on('message', (data) => client.send(data));
            }
          }
        );
        let received = 0;

        wss.on('connection', (server) => {
          server.on('message', (data) => {
            server.send(data);
            if (received++ === 12) port.postMessage('busy');
          });
        });
      };
      const run = async (count) => {
        for (let round = 0; round < count; round++) {
          const worker = new Worker(
            `(${program})(require(${JSON.stringify(path)}),
             require('worker_threads').parentPort)`,
            { eval: true }
          );

          await once(worker, 'message');
          await wait(round % 5);
          await worker.terminate();
        }
      };

      await run(3);

      const before = [measure.descriptors(), measure.threads()];

      await run(rounds);
      while (measure.descriptors() > before[0]) await wait(5);
      // At most ten threads compress and inflate.
      console.log(measure.threads() - before[1] <= 10);

      const wss = new WebSocket.Server(
        { port: 0, host: '127.0.0.1', perMessageDeflate: true },
        () => {
          const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

          client.on('open', () => client.send('x'.repeat(100000)));
          client.on('message', (data) => {
            console.log(data.length);
            process.exit();
          });
        }
      );

      wss.on('connection', (server) => {
        server.on('message', (data) => server.send(data));
      });
    };

    expect(await lines(name, main, [paths[name], isFull ? 100 : 10])).toEqual([
      'true',
      '100000'
    ]);
  });
});
