'use strict';

const { describeEach, implementations } = require('../support/implementations');
const { linesOf } = require('../support/drivers');

/**
 * For each place a conversation in which a listener there throws, once. Prints
 * a line a conversation: the exceptions and what else was heard of it.
 */
async function conversations(WebSocket, route, places) {
  globalThis.afterEach = () => {};

  const { once } = require('events');
  const { routes } = require('./__test__/support/routes');
  const { createServer, clientOptions, scheme } = routes[route];
  let exceptions = [];

  process.on('uncaughtException', (err) => exceptions.push(err.message));

  for (const place of places) {
    const heard = [];
    const hear = (name) => {
      heard.push(name);
      if (name === place) throw new Error(name);
    };
    const httpServer = createServer();
    const wss = httpServer
      ? new WebSocket.Server({ server: httpServer })
      : new WebSocket.Server({ port: 0, host: '127.0.0.1' });

    exceptions = [];
    wss.on('headers', () => hear('headers'));

    const serverClosed = new Promise((resolve) => {
      wss.on('connection', (server) => server.on('close', resolve));
    });

    wss.on('connection', (server) => {
      server.on('message', (data) => {
        server.send(data);
        if (String(data) === '1') hear('server message');
      });
      server.on('ping', () => hear('ping'));
      server.on('close', (code) => hear(`server close ${code}`));
      hear('connection');
    });
    if (httpServer) httpServer.listen(0, '127.0.0.1');
    if (!wss.address()) await once(wss, 'listening');

    const client = new WebSocket(
      `${scheme}://127.0.0.1:${wss.address().port}`,
      clientOptions()
    );
    const closed = new Promise((resolve) => {
      client.on('close', resolve);
    });

    client.on('upgrade', () => hear('upgrade'));
    client.on('open', () => {
      for (const data of ['1', '2']) client.send(data);
      client.ping();
      hear('open');
    });
    client.on('message', (data) => {
      if (String(data) === '2') client.close(1000);
      else hear('client message');
    });
    client.on('pong', () => hear('pong'));
    client.on('close', (code) => hear(`client close ${code}`));
    await Promise.all([closed, serverClosed]);
    await new Promise((resolve) => wss.close(resolve));
    if (httpServer) httpServer.close();
    console.log(`${exceptions.join()}: ${heard.sort().join()}`);
  }
}

const HEARD = [
  'client close 1000',
  'client message',
  'connection',
  'headers',
  'open',
  'ping',
  'pong',
  'server close 1000',
  'server message',
  'upgrade'
];

/** Where ws goes on as if nothing had happened. */
const harmless = [
  'connection',
  'open',
  'client close 1000',
  'server close 1000'
];

describeEach(implementations, 'a listener that throws', ({ name }) => {
  const places = name === 'ws' ? harmless : HEARD;

  test.each(['native', 'adopted', 'TLS'])(
    'costs its own event only, %s',
    async (route) => {
      expect(
        await linesOf({ library: name, env: {} }, conversations, {
          args: [route, places]
        })
      ).toEqual(places.map((place) => `${place}: ${HEARD.join()}`));
    }
  );

  test('in the error of a handshake leaves the close to come', async () => {
    expect(
      await linesOf({ library: name, env: {} }, async (WebSocket) => {
        const http = require('http');

        process.on('uncaughtException', (err) => console.log(err.message));
        for (const agent of [undefined, new http.Agent()]) {
          const client = new WebSocket('ws://127.0.0.1:1', { agent });

          client.on('error', ({ code }) => {
            throw new Error(code);
          });
          client.on('close', (code) => console.log(code));
        }
      })
    ).toEqual(
      name === 'ws'
        ? ['ECONNREFUSED', 'ECONNREFUSED']
        : ['ECONNREFUSED', '1006', 'ECONNREFUSED', '1006']
    );
  });
});

/** What listeners may do to their own connection, in each event of it. */
function destructive(WebSocket, isLost) {
  const events = ['open', 'message', 'ping', 'pong', 'close', 'error'];
  const actions = {
    removes: (websocket) => websocket.removeAllListeners(),
    closes: (websocket) => websocket.close(),
    terminates: (websocket) => websocket.terminate(),
    pauses: (websocket) => {
      websocket.pause();
      setImmediate(() => websocket.resume());
    },
    sends: (websocket) => websocket.send('again'),
    throws: () => {
      throw new Error('mine');
    },
    destroys: (websocket) => websocket._socket && websocket._socket.destroy(),
    resets: (websocket) =>
      websocket._socket && websocket._socket.resetAndDestroy(),
    collects: () => global.gc()
  };
  const wss = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
  const clients = [];

  process.on('uncaughtException', (err) => {
    if (err.message !== 'mine') console.log(err.message);
  });

  /** The listener of `/side/event/action` acts once. */
  function act(websocket, path, side) {
    const [, where, event, action] = path.split('/');
    let isDone = where !== side;

    websocket.on(event, () => {
      if (isDone) return;
      isDone = true;
      actions[action](websocket);
    });
  }

  wss.on('connection', (server, { url }) => {
    server.on('error', () => {});
    act(server, url, 'server');
    server.on('message', () => server.send('x'));
    server.ping();
    server.send('hello');
    setTimeout(() => server.terminate(), 100);
  });
  wss.on('listening', () => {
    const paths = ['client', 'server'].flatMap((side) =>
      events.flatMap((event) =>
        Object.keys(actions).map((action) => `/${side}/${event}/${action}`)
      )
    );

    for (const path of paths) {
      const client = new WebSocket(
        `ws://127.0.0.1:${wss.address().port}${path}`
      );

      clients.push(client);
      client.on('error', () => {});
      act(client, path, 'client');
      client.once('open', () => {
        client.send('a');
        client.ping();
      });
    }
    wait(Date.now() + 500);
  });

  /** ws leaves a connection dead whose listener throws. */
  function wait(end) {
    const isOver = isLost
      ? Date.now() > end
      : clients.every(({ readyState }) => readyState === WebSocket.CLOSED);

    if (isOver) converse();
    else setTimeout(wait, 10, end);
  }

  /** A good client is served as if nothing had happened. */
  function converse() {
    const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);

    client.on('message', (data) => {
      console.log(String(data));
      process.exit();
    });
  }
}

describeEach(implementations, 'listeners that interfere', ({ name }) => {
  test('in every event, in every way, harm nobody else', async () => {
    expect(
      await linesOf({ library: name, env: {} }, destructive, {
        args: [name === 'ws'],
        flags: ['--expose-gc']
      })
    ).toEqual(['hello']);
  });
});
