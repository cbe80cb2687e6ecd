'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');
const { trace } = require('../support/trace');

// Answers to one chunk may leave together: not after their socket is destroyed.
const ends = [
  ['terminate()', (websocket) => websocket.terminate()],
  ['_socket.destroy()', (websocket) => websocket._socket.destroy()],
  ['_socket.end()', (websocket) => websocket._socket.end()]
];

describeEach(routedPairs, 'what a listener sends before it ends', (pair) => {
  test.each(ends)('arrives before %s: a message', async (_, end) => {
    const { client, server } = await connect(pair);
    const events = trace(client);
    const written = new Promise((resolve) => {
      server.on('message', () => {
        server.send('last words', (err) => resolve(err));
        end(server);
      });
    });

    client.send('speak');
    await once(client, 'close');
    expect(events).toMatchObject([
      { event: 'message', data: 'Buffer(10) last words' },
      { event: 'close', code: 1006 }
    ]);
    expect(await written).toBeFalsy();
  });

  test.each(ends)('arrives before %s: a pong', async (_, end) => {
    const { client, server } = await connect(pair);
    const pongs = [];

    client.on('pong', (data) => pongs.push(String(data)));
    server.on('ping', () => {
      server.send('last words');
      end(server);
    });
    client.ping('are you there');
    await once(client, 'close');
    expect(pongs).toEqual(['are you there']);
  });
});
