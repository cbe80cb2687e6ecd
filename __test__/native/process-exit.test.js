'use strict';

const { once } = require('events');

const { listen } = require('../support/connection');
const { describeEach, ws } = require('../support/implementations');
const { wsAndDrivers, linesOf } = require('../support/drivers');
const { lifetime, places } = require('../support/lifetime');

describeEach(wsAndDrivers, 'a process ends by itself', (driver) => {
  test('after loading the package', async () => {
    await linesOf(driver, () => {});
  });

  test('after a server is closed', async () => {
    await linesOf(driver, (WebSocket) => {
      const wss = new WebSocket.Server({ port: 0 }, () => wss.close());
    });
  });

  test('after a server without a port is closed or dropped', async () => {
    await linesOf(driver, (WebSocket) => {
      new WebSocket.Server({ noServer: true }).close();
      new WebSocket.Server({ noServer: true });
      new WebSocket.Server({ server: require('http').createServer() });
    });
  });

  test.each(['own server', 'http server', 'agent'])(
    'after a conversation, %s',
    async (kind) => {
      expect(
        await linesOf(
          driver,
          (WebSocket, kind) => {
            const http = require('http');
            const server = kind === 'http server' ? http.createServer() : null;
            const wss = new WebSocket.Server(server ? { server } : { port: 0 });

            wss.on('connection', (websocket) => {
              websocket.on('message', (data) => websocket.send(data));
              websocket.on('close', (code) => {
                console.log(`server ${code}`);
                wss.close();
                if (server) server.close();
              });
            });
            wss.on('listening', () => {
              const client = new WebSocket(
                `ws://127.0.0.1:${wss.address().port}`,
                {
                  agent: kind === 'agent' ? new http.Agent() : undefined,
                  handshakeTimeout: 3600000,
                  closeTimeout: 3600000
                }
              );

              client.on('open', () => client.send('x'));
              client.on('message', () => client.close(1000));
              client.on('close', (code) => {
                setImmediate(() => console.log(`client ${code}`));
              });
            });
            if (server) server.listen(0);
          },
          { args: [kind] }
        ).then((lines) => lines.sort())
      ).toEqual(['client 1000', 'server 1000']);
    }
  );

  test.each(['client', 'server'])(
    'after terminate() by the %s',
    async (side) => {
      await linesOf(
        driver,
        (WebSocket, side) => {
          const wss = new WebSocket.Server({ port: 0 }, () => {
            const { port } = wss.address();
            const client = new WebSocket(`ws://127.0.0.1:${port}`);

            wss.on('connection', (server) => {
              server.send('x');
              server.on('close', () => wss.close());
              client.on('message', () => {
                (side === 'client' ? client : server).terminate();
              });
            });
          });
        },
        { args: [side] }
      );
    }
  );

  test('after a connection that is refused', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        new WebSocket('ws://127.0.0.1:1').on('error', ({ code }) => {
          console.log(code);
        });
      })
    ).toEqual(['ECONNREFUSED']);
  });

  test('after a handshake is given up', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const server = require('net').createServer((socket) => {
          socket.resume();
          socket.on('error', () => {});
          socket.on('close', () => server.close());
          client.terminate();
        });
        let client;

        server.listen(0, '127.0.0.1', () => {
          client = new WebSocket(`ws://127.0.0.1:${server.address().port}`, {
            handshakeTimeout: 3600000
          });
          client.on('error', ({ message }) => console.log(message));
        });
      })
    ).toEqual(['WebSocket was closed before the connection was established']);
  });

  test('once all clients are released with unref()', async () => {
    const { wss, url } = await listen(ws);
    const closed = new Promise((resolve) => {
      wss.on('connection', (websocket) => {
        websocket.send('x');
        websocket.on('close', resolve);
      });
    });

    expect(
      await linesOf(
        driver,
        (WebSocket, url) => {
          const client = new WebSocket(url);

          client.on('message', () => {
            console.log('message');
            client._socket.unref();
          });
        },
        { args: [url] }
      )
    ).toEqual(['message']);
    await closed;
  });
});

describeEach(wsAndDrivers, 'a process stays alive', (driver) => {
  /** An unreferenced timer only runs while something else holds the loop. */
  test('while a server listens', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const wss = new WebSocket.Server({ port: 0 }, () => {
          setTimeout(() => {
            console.log('alive');
            wss.close();
          }, 100).unref();
        });
      })
    ).toEqual(['alive']);
  });

  test('while a client is open', async () => {
    const { url } = await listen(ws);

    expect(
      await linesOf(
        driver,
        (WebSocket, url) => {
          const client = new WebSocket(url);

          client.on('open', () => {
            setTimeout(() => {
              console.log('alive');
              client.close();
            }, 100).unref();
          });
        },
        { args: [url] }
      )
    ).toEqual(['alive']);
  });

  test('while a server has a connection, closed or not', async () => {
    expect(
      await linesOf(driver, (WebSocket) => {
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const { port } = wss.address();
          const client = new WebSocket(`ws://127.0.0.1:${port}`);

          client.on('open', () => {
            client._socket.unref();
            wss.close();
            setTimeout(() => {
              console.log('alive');
              client.close();
            }, 100).unref();
          });
        });
      })
    ).toEqual(['alive']);
  });

  test('after unref() and ref()', async () => {
    const { url } = await listen(ws);

    expect(
      await linesOf(
        driver,
        (WebSocket, url) => {
          const client = new WebSocket(url);

          client.on('open', () => {
            client._socket.unref();
            client._socket.ref();
            setTimeout(() => {
              console.log('alive');
              client.close();
            }, 100).unref();
          });
        },
        { args: [url] }
      )
    ).toEqual(['alive']);
  });
});

describeEach(wsAndDrivers, 'process.exit()', (driver) => {
  test.each(places)("in '%s' ends the process at once", async (place) => {
    const main = (WebSocket, lifetime, place) => {
      lifetime(WebSocket, (name) => {
        if (name !== place) return;
        console.log(name);
        process.exit(7);
      });
    };
    const source = `(WebSocket, place) => (${main})(WebSocket, ${lifetime}, place)`;

    expect(
      await linesOf(
        driver,
        { toString: () => source },
        { args: [place], exitCode: 7 }
      )
    ).toEqual([place]);
  });

  test('comes after what was sent before it', async () => {
    const { wss, url } = await listen(ws);
    const received = [];
    const closed = new Promise((resolve) => {
      wss.on('connection', (websocket) => {
        websocket.on('message', (data) => received.push(Number(data)));
        websocket.on('close', resolve);
      });
    });

    await linesOf(
      driver,
      (WebSocket, url) => {
        const client = new WebSocket(url);

        client.on('open', () => {
          for (let index = 0; index < 100; index++) client.send(`${index}`);
          process.exit();
        });
      },
      { args: [url] }
    );
    await closed;
    expect(received).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test.each([false, true])(
    'that does not take place ends nothing, compressed: %s',
    async (compress) => {
      expect(
        await linesOf(
          driver,
          (WebSocket, compress) => {
            const perMessageDeflate = compress && { threshold: 0 };
            const wss = new WebSocket.Server({ port: 0, perMessageDeflate });

            wss.on('connection', (server) => {
              server.on('message', (data) => server.send(data));
              server.on('close', () => wss.close());
            });
            wss.on('listening', () => {
              const client = new WebSocket(
                `ws://127.0.0.1:${wss.address().port}`,
                { perMessageDeflate }
              );
              const indices = [];

              client.on('open', () => {
                client.send(String(0));
                process.emit('exit', 0);
                for (let i = 1; i < 20; i++)
                  client.send(`${i}${' '.repeat(i % 7 ? 10 : 200000)}`);
              });
              client.on('message', (data) => {
                indices.push(parseInt(data, 10));
                if (indices.length === 20) client.close(1000);
              });
              client.on('close', (code) => {
                console.log(`${code} ${indices}`);
              });
            });
          },
          { args: [compress] }
        )
      ).toEqual([`1000 ${Array.from({ length: 20 }, (_, index) => index)}`]);
    }
  );

  test('closes the connection for the other side', async () => {
    const { wss, url } = await listen(ws);
    const closed = new Promise((resolve) => {
      wss.on('connection', async (websocket) => {
        websocket.send('x');
        resolve(await once(websocket, 'close'));
      });
    });

    await linesOf(
      driver,
      (WebSocket, url) => {
        new WebSocket(url).on('message', () => process.exit());
      },
      { args: [url] }
    );
    expect((await closed)[0]).toBe(1006);
  });
});
