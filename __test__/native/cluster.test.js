'use strict';

const { describeEach } = require('../support/implementations');
const { wsAndDrivers, linesOf } = require('../support/drivers');

describeEach(wsAndDrivers, 'cluster workers', (driver) => {
  test('share a port', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const cluster = require('cluster');
        const fs = require('fs');
        const os = require('os');
        const path = require('path');
        const library = Object.keys(require.cache).find(
          (name) => require.cache[name].exports === WebSocket
        );
        const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
        const script = path.join(directory, 'worker.js');

        fs.writeFileSync(
          script,
          `const WebSocket = require(${JSON.stringify(library)});
           const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
           wss.on('connection', (server) => {
             server.on('message', (data) => server.send(process.pid + ' ' + data));
           });
           wss.on('listening', () => process.send(wss.address().port));
           process.on('message', () => {
             wss.close(() => process.disconnect());
             for (const server of wss.clients) server.close(1001);
           });`
        );
        cluster.setupPrimary({ exec: script, execArgv: [] });

        const workers = [cluster.fork(), cluster.fork()];
        const ports = [];
        const pids = new Set();
        const codes = [];

        for (const worker of workers) {
          worker.on('message', (port) => {
            ports.push(port);
            if (ports.length === 2) connect(port);
          });
          worker.on('exit', (code) => {
            codes.push(code);
            if (codes.length === 2) {
              fs.rmSync(directory, { recursive: true });
              console.log(new Set(ports).size, pids.size, codes.join());
            }
          });
        }

        function connect(port) {
          let closed = 0;
          let echoed = 0;

          for (let index = 0; index < 8; index++) {
            const client = new WebSocket(`ws://127.0.0.1:${port}`);

            client.on('open', () => client.send('x'));
            client.on('message', (data) => {
              pids.add(String(data).split(' ')[0]);
              if (++echoed === 8) {
                for (const worker of workers) worker.send('end');
              }
            });
            client.on('close', (code) => {
              if (code === 1001 && ++closed === 8) console.log('all closed');
            });
          }
        }
      })
    ).toEqual(['all closed', '1 2 0,0']);
  });
});
