'use strict';

const { paths } = require('../support/child');
const { linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');

/** The I/O thread may write the request before the event loop accepts. */
const drivers = wsAndDrivers.filter(({ name }) => !name.includes('thread'));

// What it is depends on whether the request has left before the end.
describeEach(
  drivers,
  'the error of a client whose server, in the same process,',
  (driver) => {
    const errorsOf = (end, host) =>
      linesOf(
        driver,
        async (WebSocket, end, host) => {
          const ends = {
            destroys: (socket) => socket.destroy(),
            resets: (socket) => socket.resetAndDestroy(),
            'resets in a tick': (socket) =>
              process.nextTick(() => socket.resetAndDestroy()),
            'resets later': (socket) =>
              setImmediate(() => socket.resetAndDestroy()),
            'destroys with the request': (socket) =>
              socket.once('data', () => socket.destroy())
          };
          const { once } = require('events');
          const server = require('net').createServer(ends[end]);

          await once(server.listen(0), 'listening');

          const { port } = server.address();

          for (let round = 0; round < 3; round++) {
            const client = new WebSocket(`ws://${host}:${port}`);
            const [{ message }] = await once(client, 'error');

            console.log(message.replace(/ECONNRESET .*/, 'ECONNRESET'));
          }
          server.close();
        },
        { args: [end, host] }
      );

    test.each(
      ['127.0.0.1', 'localhost'].flatMap((host) => [
        ['destroys', host, 'socket hang up'],
        ['resets', host, 'connect ECONNRESET'],
        ['resets in a tick', host, 'connect ECONNRESET'],
        ['resets later', host, 'read ECONNRESET'],
        ['destroys with the request', host, 'socket hang up']
      ])
    )('%s the socket that it accepts, %s', async (end, host, message) => {
      expect(await errorsOf(end, host)).toEqual([message, message, message]);
    });

    test('destroys it in a listener of an http.Server', async () => {
      const lines = await linesOf(driver, async (WebSocket) => {
        const { once } = require('events');
        const server = require('http').createServer();

        server.on('connection', (socket) => socket.destroy());
        await once(server.listen(0), 'listening');

        for (let round = 0; round < 3; round++) {
          const { port } = server.address();
          const client = new WebSocket(`ws://127.0.0.1:${port}`);
          const [{ message }] = await once(client, 'error');

          console.log(message);
        }
        server.close();
      });

      expect(lines).toEqual(Array(3).fill('socket hang up'));
    });
  }
);

/** An echo server, in a thread. */
function echo() {
  const { parentPort, workerData } = require('worker_threads');
  const { Server } = require(workerData);
  const wss = new Server({ port: 0, host: '127.0.0.1' });

  wss.on('connection', (websocket) => {
    websocket.on('message', (data) => websocket.send(data));
  });
  wss.on('listening', () => parentPort.postMessage(wss.address().port));
}

describeEach(wsAndDrivers, 'a program that dials in each round', (driver) => {
  test('hears the messages of a connection that it has', async () => {
    const main = (WebSocket, path, echo) => {
      const net = require('net');
      const { Worker } = require('worker_threads');
      const worker = new Worker(echo, { eval: true, workerData: path });
      let heard = 0;

      // What it hears first in each round, and what has it dial.
      const server = net.createServer((socket) => socket.pipe(socket));
      const begin = () => {
        const { port } = server.address();

        for (let index = 0; index < 4; index++) {
          const socket = net.connect(port, '127.0.0.1', () => {
            socket.write('x');
          });

          socket.on('data', (data) => {
            new WebSocket('ws://127.0.0.1:9').on('error', () => {});
            socket.write(data);
          });
        }
      };

      worker.on('message', (port) => {
        const websocket = new WebSocket(`ws://127.0.0.1:${port}`);

        websocket.on('open', () => {
          server.listen(0, '127.0.0.1', () => {
            begin();
            websocket.send('hi');
          });
        });
        websocket.on('message', () => {
          if (++heard < 20) return websocket.send('hi');
          console.log(heard);
          process.exit();
        });
      });
      setTimeout(() => {
        console.log(`only ${heard}`);
        process.exit();
      }, 20_000);
    };

    expect(
      await linesOf(driver, main, {
        args: [paths[driver.library], `(${echo})()`]
      })
    ).toEqual(['20']);
  });
});
