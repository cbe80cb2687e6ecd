'use strict';

const { anyDriver, linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/** Above the number from which answers are written together. */
const COUNT = 24;

/**
 * The peers, in a thread: they send a message each, all at once, when they are
 * told to, and count the answers in the second word of `shared`.
 */
function peers() {
  const net = require('net');
  const { parentPort, workerData } = require('worker_threads');
  const { count, port, shared } = workerData;
  const words = new Int32Array(shared);
  const sockets = [];
  let open = 0;

  for (let number = 0; number < count; number++) {
    const socket = net.connect(port, '127.0.0.1');

    sockets.push(socket);
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.on('data', () => {
        Atomics.add(words, 1, 1);
        Atomics.notify(words, 1);
      });
      if (++open === count) parentPort.postMessage('open');
    });
    socket.write(
      'GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n' +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`
    );
  }

  parentPort.on('message', () => {
    let written = 0;

    for (const socket of sockets) {
      socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]), () => {
        if (++written < count) return;
        Atomics.store(words, 0, 1);
        Atomics.notify(words, 0);
      });
    }
  });
}

/** Has `listen(websocket, words)` run for each connection, with the peers above. */
function serve(WebSocket, count, listen) {
  const { Worker } = require('worker_threads');
  const shared = new SharedArrayBuffer(8);
  const words = new Int32Array(shared);
  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

  wss.on('connection', (websocket) => listen(websocket, words));
  wss.on('listening', () => {
    const { port } = wss.address();
    const worker = new Worker(`(${peers})()`, {
      eval: true,
      workerData: { count, port, shared }
    });

    worker.on('message', () => {
      // They are found together.
      worker.postMessage('send');
      Atomics.wait(words, 0, 0);
    });
  });
}

describeEach(
  [...wsAndDrivers, anyDriver],
  'what many send at once',
  (driver) => {
    const lines = (main) =>
      linesOf(
        driver,
        {
          toString: () =>
            `(WebSocket, count) => (${main})(WebSocket, Number(count), ` +
            `((peers) => ${serve})(${peers}))`
        },
        { args: [COUNT] }
      );

    test('is answered while a later listener waits for that', async () => {
      expect(
        await lines((WebSocket, count, serve) => {
          let answered = 0;

          serve(WebSocket, count, (websocket, words) => {
            websocket.on('message', () => {
              // All that was sent before has to be heard.
              for (;;) {
                const heard = Atomics.load(words, 1);

                if (heard === answered) break;
                if (Atomics.wait(words, 1, heard, 10_000) === 'timed-out') {
                  console.log(`${heard} of ${answered} heard`);
                  process.exit();
                }
              }
              websocket.send('answer');
              answered++;
              if (answered < count) return;
              console.log('all heard');
              process.exit();
            });
          });
        })
      ).toEqual(['all heard']);
    });

    test('is answered if the process then exits', async () => {
      expect(
        await lines((WebSocket, count, serve) => {
          let answered = 0;
          serve(WebSocket, count, (websocket, words) => {
            websocket.on('message', () => {
              websocket.send('answer');
              if (++answered < count) return;
              process.on('exit', () => {
                const begin = Date.now();

                // The peers live as long as this does.
                while (Atomics.load(words, 1) < count) {
                  if (Date.now() - begin > 10_000) break;
                }
                console.log(Atomics.load(words, 1));
              });
              process.exit();
            });
          });
        })
      ).toEqual([String(COUNT)]);
    });
  }
);
