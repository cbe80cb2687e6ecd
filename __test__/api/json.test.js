'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');

// Programs log what they have, and hand it on, as JSON: objects with cycles throw.
describeEach(routedPairs, 'JSON can be made', (pair) => {
  /** The names of those of which none can be made. */
  function circular({ wss, server, client, request }) {
    const parts = (name, websocket) => ({
      [name]: () => websocket,
      [`${name}._sender`]: () => websocket._sender,
      [`${name}._receiver`]: () => websocket._receiver,
      [`${name}._socket`]: () => websocket._socket,
      // What was made when it was asked for is there from here on.
      [`${name}, again`]: () => websocket
    });
    const objects = {
      wss: () => wss,
      clients: () => [...wss.clients],
      request: () => request,
      ...parts('server', server),
      ...parts('client', client),
      'request, again': () => request
    };

    return Object.keys(objects).filter((name) => {
      try {
        JSON.stringify(objects[name]());
        return false;
      } catch {
        return true;
      }
    });
  }

  test.each([false, true])(
    'of what is open, and closed (permessage-deflate: %s)',
    async (perMessageDeflate) => {
      const open = await connect(pair, { server: { perMessageDeflate } });
      const { server, client, request } = open;
      const { socket } = request;

      expect(circular(open)).toEqual([]);

      client.send('text');
      server.send(Buffer.alloc(2000));
      await Promise.all([once(server, 'message'), once(client, 'message')]);
      client.pause();
      expect(circular(open)).toEqual([]);

      client.resume();
      client.close();
      await Promise.all([once(server, 'close'), once(client, 'close')]);
      expect(circular(open)).toEqual([]);
      expect(() => JSON.stringify(socket)).not.toThrow();
    }
  );

  test('of what is not open yet', async () => {
    const { wss, url } = await connect(pair);
    const { WebSocket } = pair;
    const client = new WebSocket(url, { rejectUnauthorized: false });

    expect(() => JSON.stringify([wss, client])).not.toThrow();
    await once(client, 'open');
    client.terminate();
    await once(client, 'close');
  });
});
