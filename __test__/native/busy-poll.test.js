'use strict';

const { paths } = require('../support/child');
const { linesOf, ownDrivers, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

const [inline] = ownDrivers;
const asleep = {
  ...inline,
  name: 'oxws, inline, without',
  env: { ...inline.env, OXWS_BUSY_POLL: '0' }
};

/** An echo server, in a thread. */
function echo() {
  const { parentPort, workerData } = require('worker_threads');
  const WebSocket = require(workerData);
  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });

  wss.on('connection', (websocket) => {
    websocket.on('message', (data) => websocket.send(data));
  });
  wss.on('listening', () => parentPort.postMessage(wss.address().port));
}

describeEach(
  [...wsAndDrivers, asleep],
  'one message at a time, answered at once',
  (driver) => {
    /** Runs `main(WebSocket, port, worker, what)` beside such a server. */
    const lines = (main, what) =>
      linesOf(
        driver,
        {
          toString: () => `(WebSocket, path, what) => {
            const { Worker } = require('worker_threads');
            const worker = new Worker(${JSON.stringify(`(${echo})()`)}, {
              eval: true,
              workerData: path
            });
            worker.once('message', (port) => {
              (${main})(WebSocket, port, worker, what);
            });
          }`
        },
        { args: [paths[driver.library], what] }
      );

    test('lets all else of the event loop happen in between', async () => {
      expect(
        await lines((WebSocket, port, worker) => {
          const others = {
            timer: (done) => setTimeout(done, 1),
            immediate: (done) => setImmediate(done),
            file: (done) => require('fs').stat('.', done),
            name: (done) => require('dns').lookup('127.0.0.1', done),
            socket(done) {
              const net = require('net');
              const server = net.createServer((socket) => socket.end('hi'));

              server.listen(0, '127.0.0.1', () => {
                const { port: other } = server.address();
                const socket = net.connect(other, '127.0.0.1', () => {
                  socket.on('data', () => {});
                  socket.on('close', () => server.close(done));
                });
              });
            },
            child: (done) =>
              require('child_process').execFile('true', () => done()),
            signal(done) {
              process.once('SIGUSR2', done);
              process.kill(process.pid, 'SIGUSR2');
            },
            thread(done) {
              const { port1, port2 } = new MessageChannel();

              port1.once('message', () => {
                port1.close();
                done();
              });
              port2.postMessage('hi');
            }
          };
          const websocket = new WebSocket(`ws://127.0.0.1:${port}`);
          let count = 0;
          let isOver = false;

          websocket.on('open', () => websocket.send('0'));
          websocket.on('message', (data) => {
            if (Number(data) !== count) console.log(`${data}, not ${count}`);
            if (++count === 500) begin();
            if (isOver) websocket.close();
            else websocket.send(String(count));
          });

          async function begin() {
            for (const [name, wait] of Object.entries(others)) {
              await new Promise((resolve) => wait(resolve));
              console.log(name);
            }
            isOver = true;
          }

          websocket.on('close', (code) => {
            console.log(code);
            worker.terminate();
          });
        })
      ).toEqual([
        'timer',
        'immediate',
        'file',
        'name',
        'socket',
        'child',
        'signal',
        'thread',
        '1005'
      ]);
    });

    test.each([
      ['the thread of the peer ends', ['1006', 'exit']],
      ['the socket is destroyed', ['1006', 'exit']],
      ['the process exits', ['exit']]
    ])('ends when %s', async (what, expected) => {
      expect(
        await lines((WebSocket, port, worker, what) => {
          const ends = {
            'the thread of the peer ends': () => worker.terminate(),
            'the socket is destroyed': () => websocket.terminate(),
            'the process exits': () => process.exit()
          };
          const websocket = new WebSocket(`ws://127.0.0.1:${port}`);
          let count = 0;

          websocket.on('open', () => websocket.send('hi'));
          websocket.on('message', () => {
            websocket.send('hi');
            if (++count === 2000) ends[what]();
          });
          websocket.on('error', () => {});
          websocket.on('close', (code) => {
            console.log(code);
            worker.terminate();
          });
          process.on('exit', () => console.log('exit'));
        }, what)
      ).toEqual(expected);
    });
  }
);
