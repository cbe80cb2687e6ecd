'use strict';

const { describeEach } = require('../support/implementations');
const { anyDriver, wsAndDrivers, linesOf } = require('../support/drivers');

describeEach([...wsAndDrivers, anyDriver], 'many connections', (driver) => {
  test.each(['own server', 'http server', 'agent'])(
    'each get their own messages, %s',
    async (kind) => {
      expect(
        await linesOf(
          driver,
          async (WebSocket, kind) => {
            const http = require('http');
            const { once } = require('events');
            const server = kind === 'http server' ? http.createServer() : null;
            const wss = new WebSocket.Server(server ? { server } : { port: 0 });
            const agent = kind === 'agent' ? new http.Agent() : undefined;

            wss.on('connection', (websocket, { url }) => {
              websocket.on('message', (data) => {
                websocket.send(`${url} ${data}`);
              });
            });
            if (server) server.listen(0);
            await once(wss, 'listening');

            const { port } = wss.address();
            let wrong = 0;
            const converse = async (index, count) => {
              const client = new WebSocket(`ws://127.0.0.1:${port}/${index}`, {
                agent
              });
              let received = 0;

              client.on('message', (data) => {
                if (String(data) !== `/${index} ${received}`) wrong++;
                if (++received === count) client.close(1000);
                else if (received % 4 === 0) {
                  for (let next = 0; next < 4; next++) {
                    client.send(`${received + next}`);
                  }
                }
              });
              await once(client, 'open');
              for (let next = 0; next < 4; next++) client.send(`${next}`);
              if ((await once(client, 'close'))[0] !== 1000) wrong++;
            };

            // A lone connection between two crowds: drivers change hands.
            for (const size of [1, 64, 1, 32, 1]) {
              await Promise.all(
                Array.from({ length: size }, (_, index) => converse(index, 60))
              );
            }
            while (wss.clients.size > 0) await new Promise(setImmediate);
            console.log(`${wrong} wrong`);
            wss.close();
            if (server) server.close();
          },
          { args: [kind] }
        )
      ).toEqual(['0 wrong']);
    }
  );

  test('hear a broadcast', async () => {
    expect(
      await linesOf(driver, async (WebSocket) => {
        const { once } = require('events');
        const wss = new WebSocket.Server({ port: 0 });

        await once(wss, 'listening');

        const clients = Array.from(
          { length: 100 },
          () => new WebSocket(`ws://127.0.0.1:${wss.address().port}`)
        );

        await Promise.all(clients.map((client) => once(client, 'open')));

        let received = 0;
        const finished = new Promise((resolve) => {
          for (const client of clients) {
            let next = 0;

            client.on('message', (data) => {
              if (Number(data) !== next++) console.log('out of order');
              if (++received === 100 * 50) resolve();
            });
          }
        });

        for (let index = 0; index < 50; index++) {
          for (const server of wss.clients) server.send(`${index}`);
          if (index % 10 === 0) await new Promise(setImmediate);
        }
        await finished;
        console.log(received);
        for (const client of clients) client.terminate();
        wss.close();
      })
    ).toEqual(['5000']);
  });
});
