'use strict';

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
