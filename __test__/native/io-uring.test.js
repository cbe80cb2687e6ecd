'use strict';

const { describeEach, implementations } = require('../support/implementations');
const { runInChild } = require('../support/child');

// libuv 1.45 to 1.48, of Node.js 20 and 22, closes a descriptor before it tells
// epoll: what it duplicates may not be told of by its number any more.
describeEach(implementations, 'libuv with io_uring', ({ name }) => {
  test('tells no socket of the end of another one', async () => {
    const { code, stdout, stderr } = await runInChild(
      name,
      (WebSocket) => {
        // Its sockets are libuv's.
        const { WebSocketServer } = require('ws');
        const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
        const ends = {};

        server.on('connection', (websocket) => {
          websocket._socket.cork();
          websocket.send('one');
          websocket.ping();
          websocket.send('two');
          websocket._socket.uncork();
        });
        server.on('listening', async () => {
          for (let round = 0; round < 20; round++) {
            await Promise.all(Array.from({ length: 16 }, (_, i) => talk(i)));
          }
          console.log(JSON.stringify(ends));
          server.close();
        });

        // Two thirds are connected by Node.js, and adopted.
        function talk(i) {
          const client = new WebSocket(
            `ws://127.0.0.1:${server.address().port}`,
            i % 3 > 0 ? { family: {} } : {}
          );
          const heard = [];

          client.on('message', (data) => {
            heard.push(String(data));
            if (heard.length === 2) client.close();
          });
          return new Promise((resolve) => {
            client.on('close', (code) => {
              const end = `${heard} ${code}`;

              ends[end] = (ends[end] || 0) + 1;
              resolve();
            });
          });
        }
      },
      { env: { UV_USE_IO_URING: '1' } }
    );

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ 'one,two 1005': 320 });
  });
});
