'use strict';

const { describeEach } = require('../support/implementations');
const { drivers, linesOf } = require('../support/drivers');

const isLinux = process.platform === 'linux';

describeEach(isLinux ? drivers : [], 'descriptors', (driver) => {
  test.each(['own server', 'http server', 'agent'])(
    'are not inherited by child processes, %s',
    async (kind) => {
      const [before, during] = await linesOf(
        driver,
        (WebSocket, kind) => {
          const { spawnSync } = require('child_process');
          const http = require('http');
          const inherited = () =>
            spawnSync('ls', ['/proc/self/fd'], { stdio: 'pipe' })
              .stdout.toString()
              .trim()
              .split('\n')
              .join(' ');
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
});
