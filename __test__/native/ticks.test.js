'use strict';

const { describeEach } = require('../support/implementations');
const { wsAndDrivers, linesOf, withoutUv } = require('../support/drivers');

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/**
 * The start of each child: `serve(WebSocket, names, onConnection)` accepts a
 * raw connection for each name, and resolves a function that has all of them
 * send "1" and "2" in one segment, to be found there together.
 */
function prelude() {
  const net = require('net');

  const frame = (text) => [0x81, 0x81, 0, 0, 0, 0, text.charCodeAt(0)];
  const bytes = Buffer.from([...frame('1'), ...frame('2')]);
  const open = (port, name) =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');

      socket.setNoDelay(true);
      socket.once('data', () => resolve(socket));
      socket.write(
        `GET /${name} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
          'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
      );
    });

  return (WebSocket, names, onConnection) =>
    new Promise((resolve) => {
      const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
        const { port } = wss.address();

        resolve(
          Promise.all(names.map((name) => open(port, name))).then(
            (sockets) => () => {
              for (const socket of sockets) socket.write(bytes);
              Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
            }
          )
        );
      });

      wss.on('connection', (websocket, request) =>
        onConnection(websocket, request.url.slice(1))
      );
    });
}

/** Runs `main(WebSocket, names, serve)` in a child. */
function lines(driver, main, options) {
  const source = `(WebSocket, names) => (${main})(WebSocket, names, (${prelude})())`;

  return linesOf(
    driver,
    { toString: () => source },
    { args: [names], ...options }
  );
}

describeEach([...wsAndDrivers, withoutUv], 'several connections', (driver) => {
  test('that are ready together have their ticks apart', async () => {
    const output = await lines(driver, async (WebSocket, names, serve) => {
      let order = [];
      let next;

      const send = await serve(WebSocket, names, (websocket, name) => {
        websocket.on('message', (data) => {
          const note = (kind) => order.push([name, `${kind} ${data}`]);

          note('event');
          process.nextTick(() => {
            note('tick');
            Promise.resolve().then(() => note('promise of a tick'));
          });
          Promise.resolve().then(() => {
            note('microtask');
            process.nextTick(() => {
              note('tick of a microtask');
              if (order.length === names.length * 10) setImmediate(next);
            });
          });
        });
      });

      for (let round = 0; round < 20; round++) {
        order = [];
        await new Promise((resolve) => {
          next = resolve;
          send();
        });

        const blocks = [];

        for (const [name, entry] of order) {
          if (blocks.length === 0 || blocks.at(-1)[0] !== name) {
            blocks.push([name]);
          }
          blocks.at(-1).push(entry);
        }
        for (const block of blocks.sort()) console.log(block.join());
      }
      process.exit();
    });
    const block = [
      'event',
      'tick',
      'microtask',
      'promise of a tick',
      'tick of a microtask'
    ].flatMap((kind) => [`${kind} 1`, `${kind} 2`]);

    expect(output).toEqual(
      Array.from({ length: 20 }, () =>
        names.map((name) => [name, ...block].join())
      ).flat()
    );
  });

  test('that answer each other leave setImmediate() its turns', async () => {
    const [most] = await linesOf(
      driver,
      (WebSocket, count) => {
        const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
        const messages = 20000;
        let received = 0;
        let sinceTurn = 0;
        let most = 0;

        const answer = (websocket) => {
          websocket.on('message', (data) => {
            received++;
            sinceTurn++;
            websocket.send(data);
          });
        };
        const turn = () => {
          most = Math.max(most, sinceTurn);
          sinceTurn = 0;
          if (received < messages) {
            setImmediate(turn);
          } else {
            console.log(most);
            process.exit();
          }
        };

        wss.on('connection', answer);
        wss.on('listening', () => {
          const url = `ws://127.0.0.1:${wss.address().port}`;

          for (let index = 0; index < count; index++) {
            const client = new WebSocket(url);

            answer(client);
            client.on('open', () => client.send('x'));
          }
          turn();
        });
      },
      { args: [names.length] }
    );

    // A turn brings a message for each, or for both ends of each.
    expect(Number(most)).toBeLessThanOrEqual(4 * names.length);
  });

  test('do not outlive process.exit() in the listener of one', async () => {
    expect(
      await lines(
        driver,
        async (WebSocket, names, serve) => {
          const send = await serve(WebSocket, names, (websocket) => {
            websocket.on('message', (data) => {
              console.log(String(data));
              process.exit(5);
            });
          });

          send();
        },
        { exitCode: 5 }
      )
    ).toEqual(['1']);
  });

  test('end with a worker that ends in the listener of one', async () => {
    const { paths } = require('../support/child');
    const main = async (WebSocket, names, serve) => {
      const { parentPort } = require('worker_threads');
      const send = await serve(WebSocket, names, (websocket) => {
        websocket.on('message', (data) => {
          parentPort.postMessage(String(data));
          process.exit(5);
        });
      });

      send();
    };
    const source = `(${main})(require(${JSON.stringify(
      paths[driver.library]
    )}), ${JSON.stringify(names)}, (${prelude})())`;

    expect(
      await linesOf(
        driver,
        (WebSocket, source) => {
          const { Worker } = require('worker_threads');
          const next = (round) => {
            if (round === 10) return;

            new Worker(source, { eval: true })
              .on('message', (text) => console.log(text))
              .on('exit', (code) => {
                console.log(`exit ${code}`);
                next(round + 1);
              });
          };

          next(0);
        },
        { args: [source] }
      )
    ).toEqual(Array.from({ length: 10 }, () => ['1', 'exit 5']).flat());
  });
});
