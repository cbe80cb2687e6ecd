'use strict';

const {
  anyDriver,
  linesOf,
  notAdopted,
  wsAndDrivers
} = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { certificate, key } = require('../support/routes');

/** By thread connections are written to while JavaScript goes on: in any order. */
const drivers = [...wsAndDrivers, anyDriver].filter(
  ({ name }) => !name.includes('thread')
);

describeEach(drivers, 'what is sent in one tick', (driver) => {
  const lines = (main, ...args) => linesOf(driver, main, { args });

  test.each([2, 4, 9, 40])('to %i leaves in order', async (count) => {
    expect(
      await lines((WebSocket, count) => {
        const net = require('net');
        const wss = new WebSocket.Server({ port: 0 });
        const websockets = [];
        const peers = [];
        let heard = [];

        wss.on('connection', (websocket, { url }) => {
          const number = Number(url.slice(1));

          websockets[number] = websocket;
          // Who speaks is in the middle, and so are those that are done with.
          websocket.on('message', (data) => {
            if (String(data) === 'once') {
              websocket.send('once');
              return;
            }
            websockets.forEach((each, number) => {
              const callback = () => {};

              if (String(data) === 'looked at') {
                each.send('short');
                if (number !== Number(count) - 1) return;
                // What would be written now if the others were not before it.
                void each.bufferedAmount;
                each._socket.cork();
                each._socket.uncork();
              } else if (String(data) === 'written to') {
                if (number !== Number(count) - 1) each.send('short');
                else each._socket.write(Buffer.from([0x81, 1, 0x78]));
              } else if (String(data) === 'mixed') {
                if (number % 5 === 1) each.send('callback', callback);
                else if (number % 5 === 2) each.send('x'.repeat(20000));
                else if (number % 5 === 3) each.ping();
                else if (number % 5 === 4) each.terminate();
                else each.send('short');
              } else {
                each.send(`to ${number}`);
              }
            });
          });
          if (Object.keys(websockets).length === Number(count)) run();
        });
        wss.on('listening', () => {
          for (let number = 0; number < count; number++) connect(number);
        });

        function connect(number) {
          const { port } = wss.address();
          const peer = net.connect(port, '127.0.0.1', () =>
            peer.write(
              `GET /${number} HTTP/1.1\r\nHost: here\r\n` +
                'Upgrade: websocket\r\nConnection: Upgrade\r\n' +
                'Sec-WebSocket-Version: 13\r\n' +
                `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`
            )
          );

          peers[number] = peer;
          for (const event of ['data', 'end', 'error']) {
            peer.on(event, () => {
              if (heard.at(-1) !== number) heard.push(number);
            });
          }
        }

        function say(number, text) {
          const mask = Buffer.alloc(4);

          peers[number].write(
            Buffer.concat([
              Buffer.from([0x81, 0x80 | text.length]),
              mask,
              Buffer.from(text)
            ])
          );
        }

        async function hear(isDone) {
          while (!isDone()) await new Promise(setImmediate);
          // More than that would be too much.
          for (let turn = 0; turn < 10; turn++) {
            await new Promise(setImmediate);
          }
          console.log(heard.join());
          heard = [];
        }

        async function run() {
          const hasAll = () => new Set(heard).size === Number(count);
          const last = count - 1;

          await new Promise(setImmediate);
          for (let turn = 0; turn < 20; turn++) {
            await new Promise(setImmediate);
          }
          heard = [];
          for (let round = 0; round < 2; round++) {
            say(1, 'all');
            await hear(hasAll);
            say(last, 'once');
            await hear(() => heard.length === 1);
            say(1, 'all');
            await hear(hasAll);
            // Both are read in one turn.
            say(1, 'all');
            say(last, 'all');
            await hear(hasAll);
          }
          for (const text of ['looked at', 'written to']) {
            say(1, text);
            await hear(hasAll);
          }
          say(1, 'mixed');
          await hear(hasAll);
          wss.close();
          for (const peer of peers) peer.destroy();
        }
      }, count)
    ).toEqual(expectedOf(count));
  });

  test('by clients in the turn in which the last opens', async () => {
    expect(
      await lines(async (WebSocket) => {
        const { once } = require('events');
        const wss = new WebSocket.Server({ port: 0 });
        const heard = [];

        wss.on('connection', (websocket) => {
          websocket.on('message', (data) => heard.push(String(data)));
        });
        await once(wss, 'listening');

        const open = async () => {
          const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

          await once(client, 'open');
          return client;
        };
        const clients = await Promise.all([1, 2, 3, 4, 5, 6].map(open));

        clients.forEach((client, index) => client.send(String(index)));
        while (heard.length < 6) await new Promise(setImmediate);
        console.log(heard.join());
        for (const client of clients) client.terminate();
        wss.close();
      })
    ).toEqual(['0,1,2,3,4,5']);
  });
});

// A proxy of Node's that is destroyed next would find it too late, pause, and never
// hear of the end: its server would not close.
describeEach([...wsAndDrivers, anyDriver, notAdopted], 'close()', (driver) => {
  test.each(['ws', 'wss'])(
    'in a listener has left when it returns (%s)',
    async (scheme) => {
      expect(
        await linesOf(
          driver,
          (WebSocket, scheme, options) => {
            const { createHash } = require('crypto');
            const fs = require('fs');
            const server = require(scheme === 'ws' ? 'http' : 'https')
              .createServer(options)
              .listen(0, '127.0.0.1', () => {
                const client = new WebSocket(
                  `${scheme}://127.0.0.1:${server.address().port}`,
                  { rejectUnauthorized: false }
                );

                client.on('message', () => {
                  client.close();
                  console.log(fs.readSync(fd, Buffer.alloc(100)) > 0);
                  peer.destroy();
                  server.close();
                });
              });
            let peer;
            let fd;

            server.on('connection', ({ _handle: handle }) => {
              fd = handle.fd;
            });
            server.on('upgrade', (request, socket) => {
              const accept = createHash('sha1')
                .update(
                  request.headers['sec-websocket-key'] +
                    '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
                )
                .digest('base64');

              peer = socket;
              // Nobody else reads it.
              socket._handle.readStop();
              socket.write(
                'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
                  `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
              );
              setImmediate(() =>
                setImmediate(() => socket.write('\x81\x01a', 'latin1'))
              );
            });
          },
          { args: [scheme, { cert: String(certificate), key: String(key) }] }
        )
      ).toEqual(['true']);
    }
  );
});

/** The same for all, but for who is spoken to alone. */
function expectedOf(count) {
  const all = Array.from({ length: count }, (_, number) => number).join();
  const round = [all, String(count - 1), all, all];

  return [...round, ...round, all, all, all];
}
