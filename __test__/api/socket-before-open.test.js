'use strict';

// What a program does with the socket of a request, or of a response, before its
// WebSocket is open.

const { once } = require('events');

const { connect, dial, listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { KEY, OPCODE, frame } = require('../support/wire');

const text = (payload, key) => frame({ opcode: OPCODE.text, payload, key });

/** Where a server shows the socket: options that have `act(socket)` called. */
const places = {
  verifyClient: (act) => ({
    verifyClient({ req }) {
      act(req.socket);
      return true;
    }
  }),
  'verifyClient with a callback': (act) => ({
    verifyClient({ req }, callback) {
      act(req.socket);
      setImmediate(callback, true);
    }
  }),
  handleProtocols: (act) => ({
    handleProtocols(protocols, { socket }) {
      act(socket);
      return 'chat';
    }
  })
};

const setup = { protocols: ['chat'] };

/** What a raw client asks for, and sends right behind. */
const request = { headers: { 'Sec-WebSocket-Protocol': 'chat' } };

describeEach(routedPairs, 'the socket of a request', (pair) => {
  describe.each(Object.entries(places))('in %s', (place, options) => {
    /** Both ends, where `act()` was called with the server's socket. */
    function connectWith(act, onServer) {
      return connect(pair, { ...setup, server: options(act), onServer });
    }

    test.each([undefined, 'close', 'error', 'end', 'timeout'])(
      'may lose all of its listeners (%s)',
      async (event) => {
        const { client, server, wss } = await connectWith((socket) => {
          if (event) socket.removeAllListeners(event);
          else socket.removeAllListeners();
        });
        const closes = [client, server].map((each) => once(each, 'close'));

        client.close(4000);
        for (const [code] of await Promise.all(closes)) expect(code).toBe(4000);
        await new Promise((resolve) => wss.close(resolve));
      }
    );

    test("has a 'close' for the program before the WebSocket's", async () => {
      const closes = [];
      const { client, server } = await connectWith((socket) => {
        socket.on('close', () => closes.push('socket'));
      });

      server.on('close', () => closes.push('WebSocket'));
      client.close();
      await once(server, 'close');
      expect(closes).toEqual(['socket', 'WebSocket']);
    });

    test('stays paused until it is resumed', async () => {
      const { client, server } = await connectWith((socket) => socket.pause());
      const onMessage = jest.fn();

      server.on('message', onMessage);
      client.send('hello');
      client.ping();
      await new Promise((resolve) => {
        client.send('all of it', () => setImmediate(resolve));
      });
      expect(onMessage).not.toHaveBeenCalled();
      expect(server.isPaused).toBe(false);
      expect(server._socket.isPaused()).toBe(true);

      server._socket.resume();
      while (onMessage.mock.calls.length < 2) await once(server, 'message');
      expect(onMessage.mock.calls.map(([data]) => String(data))).toEqual([
        'hello',
        'all of it'
      ]);
    });

    test('has what is put back into it read', async () => {
      let heard;
      const { client } = await connectWith(
        (socket) => socket.unshift(text('put back', KEY)),
        (server) => (heard = heardBy(server))
      );

      client.send('sent');
      expect(await heard).toEqual(['put back', 'sent']);
    });

    test('is corked until it is uncorked', async () => {
      const { wss, url } = await listen(
        pair,
        options((socket) => socket.cork())
      );
      const connected = once(wss, 'connection');
      const client = dial(pair, url, setup.protocols);
      const onOpen = jest.fn();

      client.on('open', onOpen);

      const [server] = await connected;

      server.send('corked');
      expect(server._socket.writableCorked).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(onOpen).not.toHaveBeenCalled();
      server._socket.uncork();
      expect(String((await once(client, 'message'))[0])).toBe('corked');
    });

    test('has no encoding', async () => {
      const errors = [];

      await connectWith((socket) => {
        try {
          socket.setEncoding('utf8');
        } catch (err) {
          errors.push(err);
        }
      });
      expect(errors).toEqual([
        expect.objectContaining({
          code: 'ERR_HTTP_SOCKET_ENCODING',
          message:
            'Changing the socket encoding is not allowed per RFC7230 Section 3.'
        })
      ]);
    });
  });
});

describeEach(routedImplementations, 'the socket of a request', (row) => {
  test.each(Object.entries(places))(
    'in %s has what is put back read after what came along',
    async (place, options) => {
      let heard;

      await serveRaw(
        row,
        options((socket) => socket.unshift(text('put back', KEY))),
        {
          request: { ...request, after: text('early', KEY) },
          onWebSocket: (websocket) => (heard = heardBy(websocket))
        }
      );
      expect(await heard).toEqual(['early', 'put back']);
    }
  );

  test('in a message takes what is put back', async () => {
    const { websocket, peer } = await serveRaw(row);
    const heard = heardBy(websocket);

    websocket.once('message', () => {
      websocket._socket.unshift(text('put back', KEY));
    });
    peer.write(text('sent', KEY));
    expect(await heard).toEqual(['sent', 'put back']);
  });
});

describeEach(routedPairs, 'the socket of a response', (pair) => {
  /** Both ends, where `act()` was called with the client's socket. */
  function connectWith(act) {
    return connect(pair, {
      onClient: (client) =>
        client.on('upgrade', ({ socket }) => act(socket, client))
    });
  }

  test.each([undefined, 'close', 'error', 'end'])(
    'may lose all of its listeners (%s)',
    async (event) => {
      const { client, server } = await connectWith((socket) => {
        if (event) socket.removeAllListeners(event);
        else socket.removeAllListeners();
      });

      server.close(4000);
      expect((await once(client, 'close'))[0]).toBe(4000);
    }
  );

  test('stays paused until it is resumed', async () => {
    const { client, server } = await connectWith((socket) => socket.pause());
    const onMessage = jest.fn();

    client.on('message', onMessage);
    await new Promise((resolve) => {
      server.send('hello', () => setImmediate(resolve));
    });
    expect(onMessage).not.toHaveBeenCalled();
    expect(client.isPaused).toBe(false);
    client._socket.resume();
    await once(client, 'message');
  });

  test('has what is put back into it read', async () => {
    let heard;
    const { server } = await connectWith((socket, client) => {
      heard = heardBy(client);
      socket.unshift(text('put back'));
    });

    server.send('sent');
    expect(await heard).toEqual(['put back', 'sent']);
  });
});

describeEach(implementations, 'the socket of a request', ({ lib }) => {
  test('may be read by who verifies it', async () => {
    const chunks = [];
    const { websocket, peer } = await serveRaw(
      { lib },
      {
        verifyClient({ req }, callback) {
          req.socket.once('data', (chunk) => chunks.push(chunk));
          setImmediate(callback, true);
        }
      },
      { request: { after: text('early', KEY) } }
    );

    peer.write(text('sent', KEY));
    expect(String((await once(websocket, 'message'))[0])).toBe('sent');
    expect(chunks).toEqual([text('early', KEY)]);
  });
});

/** The first two messages. */
async function heardBy(websocket) {
  const heard = [];

  await new Promise((resolve) => {
    websocket.on('message', (data) => {
      if (heard.push(String(data)) === 2) resolve();
    });
  });
  return heard;
}
