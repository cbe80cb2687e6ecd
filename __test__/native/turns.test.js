'use strict';

const { wsAndDrivers, linesOf } = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { certificate, key } = require('../support/routes');

const tlsOptions = { cert: String(certificate), key: String(key) };

/** The I/O thread has turns of its own. */
const drivers = wsAndDrivers.filter(({ name }) => !name.includes('thread'));

// Programs that fake the time let the event loop go round a given number of times.
describeEach(drivers, 'in the turn in which ws tells it', (driver) => {
  test('comes what a client sent along with its request', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const net = require('net');
        const wss = new WebSocket.Server({ port: 0 });
        let turn = 0;

        wss.on('connection', (websocket) => {
          const begin = turn;

          websocket.on('message', (data) => {
            console.log(String(data), turn - begin);
            if (String(data) === 'b') {
              websocket.terminate();
              wss.close();
            }
          });
        });
        wss.on('listening', () => {
          const { port } = wss.address();
          const socket = net.connect(port, '127.0.0.1', () => {
            const frame = (text) => [0x81, 0x81, 0, 0, 0, 0, text.charCodeAt()];

            socket.write(
              Buffer.concat([
                Buffer.from(
                  'GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n' +
                    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
                    `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`
                ),
                Buffer.from([...frame('a'), ...frame('b')])
              ])
            );
          });

          socket.on('error', () => {}).resume();
        });
        count();

        function count() {
          turn++;
          setImmediate(count).unref();
        }
      })
    ).toEqual(['a 0', 'b 0']);
  });

  test.each([0, 1, 2])(
    'comes what a server sends %i turns after it has accepted',
    async (pause) => {
      const [line] = await linesOf(
        driver,
        async (WebSocket, pause) => {
          const { once } = require('events');
          const turn = () => new Promise(setImmediate);
          const wss = new WebSocket.Server({ port: 0 });

          await once(wss, 'listening');

          const { port } = wss.address();
          const client = new WebSocket(`ws://127.0.0.1:${port}`);
          const [peer] = await once(wss, 'connection');
          let turns = 0;
          let heard;

          client.on('message', () => {
            heard = turns;
            client.send('answer');
          });

          const answered = once(peer, 'message').then(() => turns);

          for (let done = 0; done < pause; done++) await turn();
          peer.send('question');
          while (turns < 9) {
            await turn();
            turns++;
          }
          console.log(heard, await answered);
          client.terminate();
          wss.close();
        },
        { args: [pause] }
      );

      expect(line).toBe(pause === 0 ? '1 2' : '0 1');
    }
  );

  describe.each([
    ['own port', null, '333333'],
    ['http.Server', {}, '333333'],
    ['https.Server', tlsOptions, '222333']
  ])('%s', (place, options, turnsOfClose) => {
    test.each([
      ['close', 'client', 'in a tick'],
      ['close', 'server', 'in a tick'],
      ['terminate', 'client', 'in a tick'],
      ['terminate', 'server', 'in a tick'],
      ['terminate', 'client', 'in a timer'],
      ['terminate', 'server', 'in a timer']
    ])('hears of several ends, %s() of each %s %s', async (end, who, where) => {
      const [line] = await linesOf(
        driver,
        async (WebSocket, end, who, where, options) => {
          const { once } = require('events');
          const turn = () => new Promise(setImmediate);
          const isTls = options?.key !== undefined;
          const server =
            options === null
              ? undefined
              : require(isTls ? 'https' : 'http')
                  .createServer(options)
                  .listen(0);
          const wss = new WebSocket.Server(server ? { server } : { port: 0 });

          await once(server ?? wss, 'listening');

          const { port } = (server ?? wss).address();
          const clients = [];
          const peers = [];
          const heard = [];
          let turns = 0;

          for (let index = 0; index < 3; index++) {
            const client = new WebSocket(
              `${isTls ? 'wss' : 'ws'}://127.0.0.1:${port}`,
              { rejectUnauthorized: false }
            );
            const [[peer]] = await Promise.all([
              once(wss, 'connection'),
              once(client, 'open')
            ]);

            client.on('close', () => heard.push([`c${index}`, turns]));
            peer.on('close', () => heard.push([`s${index}`, turns]));
            clients.push(client);
            peers.push(peer);
          }
          for (let turns = 0; turns < 9; turns++) await turn();
          if (where === 'in a timer')
            await new Promise((resolve) => setTimeout(endAll, 1, resolve));
          else endAll();
          while (heard.length < 6) {
            await turn();
            turns++;
          }
          console.log(
            heard.map(([name]) => name).join(' '),
            heard.map(([, turn]) => turn).join('')
          );
          wss.close();
          server?.close();

          function endAll(resolve) {
            turns = 0;
            for (const each of who === 'client' ? clients : peers) each[end]();
            resolve?.();
          }
        },
        { args: [end, who, where, options] }
      );
      // As libuv tells of handles: the last one that was closed first.
      const names = ['c2 c1 c0', 's2 s1 s0'];

      const isInTimer = where === 'in a timer';

      if (who === 'server') names.reverse();
      // Who begins the closing handshake hears last, over TLS first. What is
      // ended before the event loop looks for events is found ended then.
      if (end === 'close' ? options !== tlsOptions : isInTimer) names.reverse();

      const turnsOfTerminate = isInTimer ? '111111' : '000111';
      const turns = end === 'close' ? turnsOfClose : turnsOfTerminate;

      expect(line).toBe(`${names.join(' ')} ${turns}`);
    });
  });

  test('does not bring forward what threads of Node do', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const fs = require('fs');
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const { port } = wss.address();
          const client = new WebSocket(`ws://127.0.0.1:${port}`);

          client.on('message', () => {
            fs.stat('.', () => console.log('stat'));
            setImmediate(() => console.log('immediate'));
            // It is done by then.
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
            client.terminate();
            wss.close();
          });
        });

        wss.on('connection', (websocket) => websocket.send('hello'));
      })
    ).toEqual(['immediate', 'stat']);
  });
});

describeEach(wsAndDrivers, 'in the tick in which ws tells it', (driver) => {
  test.each(['client', 'server'])(
    'comes what was sent along with a handshake, before the ticks of who hears of that (%s)',
    async (end) => {
      const [line] = await linesOf(
        driver,
        (WebSocket, end) => {
          const { createHash } = require('crypto');
          const net = require('net');
          const trace = [];

          if (end === 'client') hearAsClient();
          else hearAsServer();

          function hearAsClient() {
            const server = net.createServer((socket) => {
              socket
                .on('error', () => {})
                .once('data', (request) => {
                  const [, key] = /-key: (.*)\r/i.exec(request);
                  const accept = createHash('sha1')
                    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
                    .digest('base64');

                  socket.write(
                    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n' +
                      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}` +
                      '\r\n\r\n\x81\x01a\x81\x01b',
                    'latin1'
                  );
                });
            });

            server.listen(0, '127.0.0.1', () => {
              const { port } = server.address();
              const client = new WebSocket(`ws://127.0.0.1:${port}`);

              client.on('upgrade', () => note('upgrade'));
              client.on('open', () => note('open'));
              listen(client, server);
            });
          }

          function hearAsServer() {
            const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

            wss.on('headers', () => note('headers'));
            wss.on('connection', (websocket) => {
              note('connection');
              listen(websocket, wss);
            });
            wss.on('listening', () => {
              const socket = net.connect(wss.address().port, '127.0.0.1');

              socket.on('error', () => {}).resume();
              socket.write(
                'GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n' +
                  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
                  `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n` +
                  '\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b',
                'latin1'
              );
            });
          }

          function listen(websocket, server) {
            websocket.on('message', (data) => {
              note(String(data));
              if (String(data) === 'a') return;

              setImmediate(() => {
                console.log(trace.join(' '));
                websocket.terminate();
                server.close();
              });
            });
          }

          function note(what) {
            trace.push(what);
            process.nextTick(() => trace.push(`${what}.tick`));
            Promise.resolve().then(() => trace.push(`${what}.microtask`));
          }
        },
        { args: [end] }
      );
      const [first, second] =
        end === 'client' ? ['upgrade', 'open'] : ['headers', 'connection'];

      expect(line).toBe(
        `${first} ${second} ${first}.tick a b ${second}.tick a.tick b.tick ` +
          `${first}.microtask ${second}.microtask a.microtask b.microtask`
      );
    }
  );

  test('comes over TLS what a server sends as it accepts', async () => {
    const [line] = await linesOf(
      driver,
      (WebSocket, options) => {
        const { createServer } = require('https');
        const trace = [];
        // Who accepts is the same for all.
        const wss = new (require('ws').WebSocketServer)({ noServer: true });
        const server = createServer(options).listen(0, '127.0.0.1', () => {
          const client = new WebSocket(
            `wss://127.0.0.1:${server.address().port}`,
            { rejectUnauthorized: false }
          );

          client.on('open', () => {
            note('open');
            setImmediate(() => {
              console.log(trace.join(' '));
              client.terminate();
              server.close();
            });
          });
          client.on('message', (data) => note(String(data)));
        });

        server.on('upgrade', (request, socket, head) => {
          wss.handleUpgrade(request, socket, head, (websocket) => {
            websocket.send('a');
            websocket.send('b');
          });
        });

        function note(what) {
          trace.push(what);
          process.nextTick(() => trace.push(`${what}.tick`));
          Promise.resolve().then(() => trace.push(`${what}.microtask`));
        }
      },
      { args: [tlsOptions] }
    );

    expect(line).toBe(
      'open open.tick open.microtask a b a.tick b.tick a.microtask b.microtask'
    );
  });
});
