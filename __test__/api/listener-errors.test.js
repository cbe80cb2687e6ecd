'use strict';

const { describeEach, implementations } = require('../support/implementations');
const { runInChild } = require('../support/child');

/** What the children print, a line each. */
async function lines(child) {
  const { code, signal, stdout, stderr } = await child;

  expect({ code, signal, stderr }).toEqual({
    code: 0,
    signal: null,
    stderr: ''
  });
  return stdout.trim().split('\n');
}

describeEach(implementations, 'a listener that throws', ({ name }) => {
  test('is an uncaughtException and no error event', async () => {
    const output = await lines(
      runInChild(name, (WebSocket) => {
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const { port } = wss.address();
          const client = new WebSocket(`ws://127.0.0.1:${port}`);

          client.on('open', () => client.send('x'));
        });

        wss.on('connection', (websocket) => {
          websocket.on('error', () => console.log('error event'));
          websocket.on('message', () => {
            throw new Error('mine');
          });
        });
        process.on('uncaughtException', (err, origin) => {
          console.log(`${err.message} ${origin}`);
          process.exit();
        });
      })
    );

    expect(output).toEqual(['mine uncaughtException']);
  });

  test('ends a process without such a handler', async () => {
    const { code, stderr } = await runInChild(name, (WebSocket) => {
      const wss = new WebSocket.Server({ port: 0 }, () => {
        const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

        client.on('open', () => client.send('x'));
      });

      wss.on('connection', (websocket) => {
        websocket.on('message', () => {
          throw new TypeError('mine');
        });
      });
    });

    expect(code).toBe(1);
    expect(stderr).toContain('TypeError: mine');
  });

  test('does not touch the other connections', async () => {
    const output = await lines(
      runInChild(name, (WebSocket) => {
        const wss = new WebSocket.Server({ port: 0 }, () => {
          const { port } = wss.address();
          const good = new WebSocket(`ws://127.0.0.1:${port}/good`);

          good.on('open', () => {
            const bad = new WebSocket(`ws://127.0.0.1:${port}/bad`);

            bad.on('open', () => bad.send('x'));
          });
          process.on('uncaughtException', (err) => {
            console.log(err.message);
            good.send('still there?');
          });
          good.on('message', (data) => {
            console.log(String(data));
            process.exit();
          });
        });

        wss.on('connection', (websocket, request) => {
          websocket.on('message', () => {
            if (request.url === '/bad') throw new Error('mine');
            websocket.send('yes');
          });
        });
      })
    );

    expect(output).toEqual(['mine', 'yes']);
  });

  test.each(['open', 'connection', 'close', 'ping', 'pong', 'upgrade'])(
    "of '%s' is one too",
    async (event) => {
      const output = await lines(
        runInChild(
          name,
          (WebSocket, event) => {
            const fail = () => {
              throw new Error(`in ${event}`);
            };
            const wss = new WebSocket.Server({ port: 0 }, () => {
              const { port } = wss.address();
              const client = new WebSocket(`ws://127.0.0.1:${port}`);

              if (event !== 'connection') client.on(event, fail);
              client.on('error', () => {});
            });

            if (event === 'connection') wss.on('connection', fail);
            wss.on('connection', (server) => {
              server.ping();
              server.pong();
              server.close();
            });
            process.on('uncaughtException', (err) => {
              console.log(err.message);
              process.exit();
            });
          },
          { args: [event] }
        )
      );

      expect(output).toEqual([`in ${event}`]);
    }
  );
});

/** What ws does not do: there the connection is lost after the exception. */
describeEach(
  implementations.filter(({ name }) => name === 'oxws'),
  'the connection of a listener that throws',
  ({ name }) => {
    test.each(['own server', 'http server'])('goes on, %s', async (kind) => {
      const output = await lines(
        runInChild(
          name,
          (WebSocket, kind) => {
            const http = require('http');
            const server = kind === 'http server' ? http.createServer() : null;
            const wss = new WebSocket.Server(server ? { server } : { port: 0 });

            wss.on('listening', () => {
              const { port } = wss.address();
              const client = new WebSocket(`ws://127.0.0.1:${port}`);

              client.on('open', () => {
                for (const data of ['1', '2', '3']) client.send(data);
                client.close(1000);
              });
            });
            wss.on('connection', (websocket) => {
              websocket.on('message', (data) => {
                console.log(`message ${data}`);
                if (String(data) !== '3') throw new Error(`after ${data}`);
              });
              websocket.on('close', (code) => {
                console.log(`close ${code} ${wss.clients.size}`);
                wss.close();
                if (server) server.close();
              });
            });
            process.on('uncaughtException', (err) => {
              console.log(err.message);
            });
            if (server) server.listen(0);
          },
          { args: [kind] }
        )
      );

      expect(output.filter((line) => !line.startsWith('after'))).toEqual([
        'message 1',
        'message 2',
        'message 3',
        'close 1000 0'
      ]);
      expect(output.filter((line) => line.startsWith('after'))).toEqual([
        'after 1',
        'after 2'
      ]);
    });
  }
);
