'use strict';

const { describeEach } = require('../support/implementations');
const { wsAndDrivers, linesOf } = require('../support/drivers');

const flags = ['--expose-gc'];

describeEach(wsAndDrivers, 'garbage collection', (driver) => {
  test('does not take an open connection that nobody names', async () => {
    expect(
      await linesOf(
        driver,
        (WebSocket) => {
          let count = 0;

          function connect(port) {
            new WebSocket(`ws://127.0.0.1:${port}`)
              .on('open', function () {
                this.send('x');
              })
              .on('message', function (data) {
                global.gc();
                if (++count === 20) {
                  console.log(count);
                  process.exit();
                }
                setImmediate(() => this.send(data));
              });
          }

          const wss = new WebSocket.Server({ port: 0 }, () => {
            connect(wss.address().port);
          });

          wss.on('connection', (server) => {
            server.on('message', function (data) {
              global.gc();
              this.send(data);
            });
          });
        },
        { flags }
      )
    ).toEqual(['20']);
  });

  test('takes connections that have closed', async () => {
    const [alive] = await linesOf(
      driver,
      (WebSocket) => {
        const references = [];
        const wss = new WebSocket.Server({ port: 0 }, async () => {
          const url = `ws://127.0.0.1:${wss.address().port}`;

          for (let index = 0; index < 20; index++) {
            await new Promise((resolve) => {
              const client = new WebSocket(url);

              references.push(new WeakRef(client));
              client.on('message', () => client.close());
              client.on('close', resolve);
            });
          }
          while (wss.clients.size > 0) await new Promise(setImmediate);
          for (let turn = 0; turn < 20; turn++) {
            await new Promise(setImmediate);
            global.gc();
          }
          console.log(
            references.filter((reference) => reference.deref()).length
          );
          wss.close();
        });

        wss.on('connection', (server) => {
          references.push(new WeakRef(server));
          server.send('x');
        });
      },
      { flags }
    );

    expect(Number(alive)).toBeLessThanOrEqual(2);
  });

  test('finds little memory behind a few kept messages', async () => {
    const [kept, bytes] = await linesOf(
      driver,
      (WebSocket) => {
        const kept = [];
        const total = 50000;
        let received = 0;
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
          let sent = 0;
          const send = () => {
            for (let index = 0; index < 1000; index++, sent++) {
              client.send('twenty bytes of text');
            }
            if (sent < total) setImmediate(send);
            else client.close();
          };

          client.on('open', send);
        });

        wss.on('connection', (server) => {
          server.on('message', (data) => {
            if (received++ % 500 === 0) kept.push(data);
          });
          server.on('close', () => {
            const buffers = new Set(kept.map(({ buffer }) => buffer));
            let bytes = 0;

            for (const { byteLength } of buffers) bytes += byteLength;
            console.log(kept.length);
            console.log(bytes);
            wss.close();
          });
        });
      },
      { flags }
    );

    expect(Number(kept)).toBe(100);
    expect(Number(bytes)).toBeLessThanOrEqual(100 * 65536);
  });

  test('leaves the bytes of kept messages alone', async () => {
    expect(
      await linesOf(
        driver,
        (WebSocket) => {
          const kept = [];
          const wss = new WebSocket.Server({ port: 0 }, () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`
            );

            client.on('open', () => {
              for (let index = 0; index < 2000; index++) {
                client.send(Buffer.alloc(1 + (index % 300), index));
              }
              client.send(Buffer.alloc(1 << 20, 7));
              client.close();
            });
          });

          wss.on('connection', (server) => {
            server.on('message', (data) => {
              kept.push(data);
              if (kept.length % 100 === 0) global.gc();
            });
            server.on('close', () => {
              global.gc();
              console.log(
                kept
                  .slice(0, 2000)
                  .every((data, index) =>
                    data.equals(Buffer.alloc(1 + (index % 300), index))
                  ) && kept[2000].equals(Buffer.alloc(1 << 20, 7))
              );
              wss.close();
            });
          });
        },
        { flags }
      )
    ).toEqual(['true']);
  });

  test('takes what is dropped in the middle of a message', async () => {
    expect(
      await linesOf(
        driver,
        async ({ Receiver }) => {
          const fs = require('fs');
          // The first frame of a message, and the beginning of its second.
          const bytes = Buffer.concat([
            Buffer.from([2, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            Buffer.alloc(65536 + 2)
          ]);
          const drop = async (count) => {
            for (let index = 0; index < count; index++) {
              new Receiver().write(bytes);
              if (index % 10 === 9) await new Promise(setImmediate);
            }
          };
          const resident = () => {
            const status = fs.readFileSync('/proc/self/status', 'latin1');

            return Number(/^VmRSS:\s*(\d+)/m.exec(status)[1]) / 1024;
          };

          const collect = async () => {
            for (let round = 0; round < 5; round++) {
              global.gc();
              await new Promise((resolve) => setTimeout(resolve, 5));
            }
          };

          await drop(2000);
          await collect();

          const before = resident();

          // 500 MiB. malloc() may keep some of what it was given back.
          for (let round = 0; round < 4; round++) {
            await drop(2000);
            await collect();
          }
          if (resident() < before + 250) console.log('collected');
        },
        { flags }
      )
    ).toEqual(['collected']);
  });
});
