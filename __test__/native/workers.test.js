'use strict';

const { describeEach } = require('../support/implementations');
const { wsAndDrivers, linesOf, withoutUv } = require('../support/drivers');

/**
 * The start of each child: `conversation(WebSocket, count)` echoes messages on
 * a server of its own and ends; `traffic(WebSocket)` does so for ever;
 * `start(fn)` runs a function of the child's in a worker.
 */
function prelude(path) {
  const { Worker } = require('worker_threads');

  const conversation = (WebSocket, count, done) => {
    const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
      const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
      let received = 0;

      client.on('open', () => {
        for (let index = 0; index < 16; index++) client.send('x'.repeat(100));
      });
      client.on('message', (data) => {
        received++;
        if (received < count) client.send(data);
        else if (received === count) client.close();
        if (received === 16 && done.started) done.started();
      });
      client.on('close', () => wss.close(done));
    });

    wss.on('connection', (server) => {
      server.on('message', (data) => server.send(data));
    });
  };
  const start = (main) =>
    new Worker(
      `(${main})(require(${JSON.stringify(path)}), ${conversation},
       require('worker_threads').parentPort)`,
      { eval: true }
    );

  return { conversation, start };
}

/** Runs `main(WebSocket, prelude)` in a child. */
function lines(driver, main, flags) {
  const { paths } = require('../support/child');
  const source = `(WebSocket) => (${main})(WebSocket, (${prelude})(${JSON.stringify(
    paths[driver.library]
  )}))`;

  return linesOf(driver, { toString: () => source }, { flags });
}

describeEach([...wsAndDrivers, withoutUv], 'a worker', (driver) => {
  test('ends by itself after a conversation', async () => {
    expect(
      await lines(driver, (WebSocket, { start }) => {
        const worker = start((WebSocket, conversation, port) => {
          conversation(WebSocket, 200, () => port.postMessage('done'));
        });

        worker.on('message', (text) => console.log(text));
        worker.on('exit', (code) => console.log(`exit ${code}`));
      })
    ).toEqual(['done', 'exit 0']);
  });

  test('works beside others and the main thread', async () => {
    const output = await lines(driver, (WebSocket, { conversation, start }) => {
      for (let index = 0; index < 4; index++) {
        start((WebSocket, conversation) => {
          conversation(WebSocket, 500, () => {});
        }).on('exit', (code) => console.log(`exit ${code}`));
      }
      conversation(WebSocket, 500, () => console.log('main'));
    });

    expect(output.sort()).toEqual([...Array(4).fill('exit 0'), 'main']);
  });

  test('can be terminated under traffic, again and again', async () => {
    expect(
      await lines(driver, (WebSocket, { conversation, start }) => {
        let rounds = 0;
        const next = () => {
          if (rounds++ === 12) {
            conversation(WebSocket, 100, () => console.log('main works'));
            return;
          }

          const worker = start((WebSocket, conversation, port) => {
            const done = () => {};

            done.started = () => port.postMessage('started');
            conversation(WebSocket, Infinity, done);
          });

          worker.once('message', () => worker.terminate().then(next));
        };

        next();
      })
    ).toEqual(['main works']);
  });

  test('can be terminated while it starts and while it idles', async () => {
    expect(
      await lines(driver, (WebSocket, { start }) => {
        const idle = (WebSocket, _, port) => {
          const wss = new WebSocket.Server({ port: 0 }, () => {
            const client = new WebSocket(
              `ws://127.0.0.1:${wss.address().port}`
            );

            client.on('open', () => port.postMessage('open'));
          });
        };
        const early = [1, 2, 3].map(() => start(idle).terminate());
        const late = [1, 2, 3].map(
          () =>
            new Promise((resolve) => {
              const worker = start(idle);

              worker.on('message', () => resolve(worker.terminate()));
            })
        );

        Promise.all([...early, ...late]).then(() => console.log('all ended'));
      })
    ).toEqual(['all ended']);
  });

  test('that is terminated closes its connections', async () => {
    expect(
      await lines(driver, (WebSocket) => {
        const { Worker } = require('worker_threads');
        const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
          const worker = new Worker(
            `const WebSocket = require(require('worker_threads').workerData[0]);
             const ws = new WebSocket(require('worker_threads').workerData[1]);
             ws.on('open', () => ws.send('x'));
             ws.on('message', (data) => ws.send(data));`,
            {
              eval: true,
              workerData: [
                Object.keys(require.cache).find(
                  (path) => require.cache[path].exports === WebSocket
                ),
                `ws://127.0.0.1:${wss.address().port}`
              ]
            }
          );
          let count = 0;

          wss.on('connection', (server) => {
            server.on('message', (data) => {
              if (++count === 20) worker.terminate();
              server.send(data);
            });
            server.on('close', (code) => {
              console.log(`close ${code}`);
              wss.close();
            });
          });
        });
      })
    ).toEqual(['close 1006']);
  });

  test('may end with process.exit() under traffic', async () => {
    expect(
      await lines(driver, (WebSocket, { conversation, start }) => {
        const worker = start((WebSocket, conversation) => {
          const done = () => {};

          done.started = () => process.exit(3);
          conversation(WebSocket, Infinity, done);
        });

        worker.on('exit', (code) => {
          console.log(`exit ${code}`);
          conversation(WebSocket, 100, () => console.log('main works'));
        });
      })
    ).toEqual(['exit 3', 'main works']);
  });

  test('does not keep process.exit() of the main thread back', async () => {
    expect(
      await lines(driver, (WebSocket, { start }) => {
        for (let index = 0; index < 3; index++) {
          const worker = start((WebSocket, conversation, port) => {
            const done = () => {};

            done.started = () => port.postMessage('started');
            conversation(WebSocket, Infinity, done);
          });

          worker.on('message', () => {
            console.log('started');
            process.exit();
          });
        }
      })
    ).toEqual(['started']);
  });
});
