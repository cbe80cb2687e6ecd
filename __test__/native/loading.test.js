'use strict';

const { describeEach } = require('../support/implementations');
const { linesOf, ownDrivers } = require('../support/drivers');

describeEach(ownDrivers, 'the addon', (driver) => {
  test('may be loaded several times in a process', async () => {
    expect(
      await linesOf(driver, (first) => {
        const path = Object.keys(require.cache).find(
          (name) => require.cache[name].exports === first
        );
        const libraries = [first];

        for (let index = 0; index < 3; index++) {
          for (const name of Object.keys(require.cache)) {
            delete require.cache[name];
          }
          libraries.push(require(path));
        }
        console.log(new Set(libraries).size);

        const wss = new libraries[1].Server({ port: 0 }, () => {
          const url = `ws://127.0.0.1:${wss.address().port}`;
          let open = 0;

          for (const WebSocket of libraries) {
            const client = new WebSocket(url);

            client.on('open', () => client.send('x'));
            client.on('message', (data) => {
              console.log(String(data));
              client.close();
            });
            client.on('close', () => {
              if (++open === libraries.length) wss.close();
            });
          }
        });

        wss.on('connection', (server) => {
          server.on('message', (data) => server.send(data));
        });
      })
    ).toEqual(['4', 'x', 'x', 'x', 'x']);
  });

  test('may be loaded in contexts of vm', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const vm = require('vm');
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const context = vm.createContext({ WebSocket, console, wss });

          vm.runInContext(
            `const client = new WebSocket(
               'ws://127.0.0.1:' + wss.address().port
             );
             client.on('open', () => client.send([1, 2, 3]));
             client.on('message', (data) => {
               console.log(data.length);
               client.close();
             });
             client.on('close', () => wss.close());`,
            context
          );
        });

        wss.on('connection', (server) => {
          server.on('message', (data) => server.send(data));
        });
      })
    ).toEqual(['3']);
  });
});
