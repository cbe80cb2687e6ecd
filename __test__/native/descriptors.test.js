'use strict';

const { describeEach } = require('../support/implementations');
const { paths } = require('../support/child');
const { wsAndDrivers, linesOf } = require('../support/drivers');

const isLinux = process.platform === 'linux';

describeEach(isLinux ? wsAndDrivers : [], 'descriptors', (driver) => {
  test.each(['own server', 'http server', 'agent'])(
    'are not inherited by child processes, %s',
    async (kind) => {
      const [before, during] = await linesOf(
        driver,
        (WebSocket, kind) => {
          const { spawnSync } = require('child_process');
          const http = require('http');
          // Node reads certificates on a thread of its own, and has that file
          // open without O_CLOEXEC: what a file is does not count.
          const inherited = () =>
            spawnSync('ls', ['-l', '/proc/self/fd'], { stdio: 'pipe' })
              .stdout.toString()
              .match(/\d+ -> (?=socket:|anon_inode:)/g)
              .join('');
          const server = kind === 'http server' ? http.createServer() : null;
          const before = inherited();
          const wss = new WebSocket.Server(server ? { server } : { port: 0 });

          wss.on('connection', (websocket) => {
            websocket.on('message', () => websocket.send('x'));
          });
          wss.on('listening', () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`,
              { agent: kind === 'agent' ? new http.Agent() : undefined }
            );

            client.on('open', () => client.send('x'));
            client.on('message', () => {
              console.log(before);
              console.log(inherited());
              process.exit();
            });
          });
          if (server) server.listen(0);
        },
        { args: [kind] }
      );

      expect(during).toBe(before);
    }
  );

  test.each(['own server', 'http server', 'agent'])(
    'are all closed with their connections, %s',
    async (kind) => {
      const [, before, during] = await linesOf(
        driver,
        (WebSocket, kind) => {
          const fs = require('fs');
          const http = require('http');
          const count = () => fs.readdirSync('/proc/self/fd').length;
          const server = kind === 'http server' ? http.createServer() : null;
          const wss = new WebSocket.Server(server ? { server } : { port: 0 });
          const agent = kind === 'agent' ? new http.Agent() : undefined;
          let most = 0;

          const round = async (size) => {
            const url = `ws://127.0.0.1:${wss.address().port}`;
            const clients = Array.from({ length: size }, (_, index) => {
              const client = new WebSocket(url, { agent });
              const end = ['close', 'terminate'][index % 2];

              client.on('message', () => client[end]());
              return new Promise((resolve) => client.on('close', resolve));
            });

            await Promise.all(clients);
            while (wss.clients.size > 0) await new Promise(setImmediate);
          };

          wss.on('connection', (websocket) => {
            most = Math.max(most, count());
            websocket.send('x');
          });
          wss.on('listening', async () => {
            await round(2);
            for (let turn = 0; turn < 100; turn++) {
              await new Promise(setImmediate);
            }

            // The first stream of a process opens a descriptor for ever.
            console.log('start');

            const before = count();

            await round(30);
            // Never ends when descriptors stay open.
            while (count() > before) await new Promise(setImmediate);
            console.log(before);
            console.log(most);
            process.exit();
          });
          if (server) server.listen(0);
        },
        { args: [kind] }
      );

      expect(Number(during)).toBeGreaterThan(Number(before));
    }
  );

  test('are all closed with a worker that is terminated', async () => {
    expect(
      await linesOf(
        driver,
        (WebSocket, library) => {
          const fs = require('fs');
          const { Worker } = require('worker_threads');
          const count = () => fs.readdirSync('/proc/self/fd').length;

          const terminateUnderTraffic = async () => {
            const worker = new Worker(
              `const WebSocket = require(${JSON.stringify(library)});
               const { parentPort } = require('worker_threads');
               const wss = new WebSocket.Server({ port: 0 }, () => {
                 const client = new WebSocket(
                   'ws://127.0.0.1:' + wss.address().port
                 );
                 client.on('open', () => client.send('x'));
                 client.on('message', (data) => {
                   client.send(data);
                   parentPort.postMessage('x');
                 });
               });
               wss.on('connection', (server) => {
                 server.on('message', (data) => server.send(data));
               });`,
              { eval: true }
            );

            await new Promise((resolve) => worker.once('message', resolve));
            await worker.terminate();
          };

          (async () => {
            await terminateUnderTraffic();

            const before = count();

            for (let i = 0; i < 3; i++) await terminateUnderTraffic();
            // Never ends when descriptors stay open.
            while (count() > before) await new Promise(setImmediate);
            console.log('closed');
          })();
        },
        { args: [paths[driver.library]] }
      )
    ).toEqual(['closed']);
  });
});
