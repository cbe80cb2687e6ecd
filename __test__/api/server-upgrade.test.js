'use strict';

const { once } = require('events');
const http = require('http');
const { Duplex } = require('stream');

const { dial } = require('../support/connection');
const {
  describeEach,
  implementations,
  pairs
} = require('../support/implementations');
const {
  SAMPLE_KEY,
  rawClient,
  rawSocket,
  upgradeRequest
} = require('../support/raw');
const {
  onRelease,
  trackServer,
  trackWebSocketServer
} = require('../support/resources');
const { trace } = require('../support/trace');
const {
  KEY,
  OPCODE,
  acceptOf,
  closePayload,
  frame,
  parseFrames,
  parseHead
} = require('../support/wire');

/** An http.Server whose 'upgrade' goes to `onUpgrade(wss, ...args)`. */
async function serve({ WebSocketServer }, onUpgrade, options) {
  const server = trackServer(http.createServer());
  const wss = trackWebSocketServer(
    new WebSocketServer({ noServer: true, ...options })
  );

  server.on('upgrade', (...args) => onUpgrade(wss, ...args));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = server.address();
  return { server, wss, port, url: `ws://127.0.0.1:${port}/` };
}

describeEach(pairs, 'handleUpgrade() without a server', (pair) => {
  test('calls back before it returns', async () => {
    const order = [];
    const { url } = await serve(pair, (wss, request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (server, upgraded) => {
        order.push('callback');
        expect(upgraded).toBe(request);
        expect(server.readyState).toBe(1);
        expect(wss.clients.has(server)).toBe(true);
        server.send('welcome');
      });
      order.push('returned');
    });
    const client = dial(pair, url);
    const [data] = await once(client, 'message');

    expect(String(data)).toBe('welcome');
    expect(order).toEqual(['callback', 'returned']);
  });

  test("does not emit 'connection' by itself", async () => {
    const onConnection = jest.fn();
    const { wss, url } = await serve(pair, (wss, request, socket, head) => {
      wss.handleUpgrade(request, socket, head, () => {});
    });

    wss.on('connection', onConnection);
    await once(dial(pair, url), 'open');
    expect(onConnection).not.toHaveBeenCalled();
  });

  test('may be called later', async () => {
    const { url } = await serve(pair, (wss, request, socket, head) => {
      setImmediate(() => {
        wss.handleUpgrade(request, socket, head, (server) => {
          server.on('message', (data) => server.send(data));
        });
      });
    });
    const client = dial(pair, url);

    client.on('open', () => client.send('x'));
    expect(String((await once(client, 'message'))[0])).toBe('x');
  });

  test('throws when the socket has been upgraded before', async () => {
    let error;
    const { url } = await serve(pair, (wss, request, socket, head) => {
      wss.handleUpgrade(request, socket, head, () => {});
      try {
        wss.handleUpgrade(request, socket, head, () => {});
      } catch (err) {
        error = err;
      }
    });

    await once(dial(pair, url), 'open');
    expect(error.message).toBe(
      'server.handleUpgrade() was called more than once with the same ' +
        'socket, possibly due to a misconfiguration'
    );
    expect(error).toBeInstanceOf(Error);
  });

  test('shares a server among paths', async () => {
    const { server, url } = await serve(pair, () => {});
    const servers = {};

    server.removeAllListeners('upgrade');
    for (const path of ['/a', '/b']) {
      servers[path] = trackWebSocketServer(
        new pair.WebSocketServer({ noServer: true })
      );
    }
    server.on('upgrade', (request, socket, head) => {
      servers[request.url].handleUpgrade(request, socket, head, (ws) => {
        ws.send(`from ${request.url}`);
      });
    });
    for (const path of ['a', 'b']) {
      const [data] = await once(dial(pair, url + path), 'message');

      expect(String(data)).toBe(`from /${path}`);
    }
    expect(servers['/a'].clients.size).toBe(1);
    expect(servers['/b'].clients.size).toBe(1);
  });
});

describeEach(implementations, 'handleUpgrade()', ({ lib }) => {
  test('delivers messages of `head`', async () => {
    const frames = ['one', 'two'].map((payload) =>
      frame({ opcode: OPCODE.text, payload, key: KEY })
    );
    const heads = [];
    const received = [];
    let done;
    const finished = new Promise((resolve) => (done = resolve));
    const { port } = await serve(lib, (wss, request, socket, head) => {
      heads.push(head.length);
      wss.handleUpgrade(request, socket, head, (server) => {
        server.on('message', (data) => received.push(String(data)));
        server.on('close', done);
      });
    });
    const after = Buffer.concat([
      ...frames,
      frame({ opcode: OPCODE.close, key: KEY })
    ]);

    await rawClient(port, { after });
    await finished;
    expect(received).toEqual(['one', 'two']);
    expect(heads).toEqual([after.length]);
  });

  test('destroys a socket whose client is gone', async () => {
    const callback = jest.fn();
    let closed;
    const { port } = await serve(lib, async (wss, request, socket, head) => {
      closed = once(socket, 'close');
      peer.socket.end();
      socket.resume();
      await once(socket, 'end');
      wss.handleUpgrade(request, socket, head, callback);
    });
    const peer = await rawSocket(port);

    peer.write(upgradeRequest());
    expect(await peer.head()).toBe(null);
    await closed;
    expect(callback).not.toHaveBeenCalled();
  });

  test('answers a request that is no upgrade with 400', async () => {
    const { port } = await serve(lib, () => {});
    const wss = trackWebSocketServer(
      new lib.WebSocketServer({ noServer: true })
    );
    const server = trackServer(
      http.createServer((request) => {
        wss.handleUpgrade(request, request.socket, Buffer.alloc(0), () => {});
      })
    );

    expect(port).toBeGreaterThan(0);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const response = await fetch(`http://127.0.0.1:${server.address().port}/`);

    expect(response.status).toBe(400);
    expect(await response.text()).toBe('Invalid Upgrade header');
  });
});

/** Two Duplexes in memory: what one writes the other reads. */
function duplexPair() {
  const ends = [];

  for (const side of [0, 1]) {
    ends.push(
      new Duplex({
        read() {},
        write(chunk, encoding, callback) {
          setImmediate(() => {
            ends[1 - side].push(chunk);
            callback();
          });
        },
        final(callback) {
          setImmediate(() => {
            ends[1 - side].push(null);
            callback();
          });
        }
      })
    );
  }
  return ends;
}

describeEach(implementations, 'a Duplex of the user', ({ lib }) => {
  const request = (headers = {}) => ({
    method: 'GET',
    url: '/',
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': SAMPLE_KEY,
      'sec-websocket-version': '13',
      ...headers
    },
    socket: {}
  });

  function collect(stream) {
    const chunks = [];

    stream.on('data', (chunk) => chunks.push(chunk));
    return () => Buffer.concat(chunks);
  }

  test('carries a whole connection', async () => {
    const [socket, peer] = duplexPair();
    const wss = new lib.WebSocketServer({ noServer: true });
    const received = collect(peer);
    let server;

    wss.handleUpgrade(request(), socket, Buffer.alloc(0), (ws) => {
      server = ws;
    });

    const events = trace(server);
    const ended = once(peer, 'end');

    server.on('message', (data) => server.send(`${data}!`));
    peer.write(frame({ opcode: OPCODE.text, payload: 'Hello', key: KEY }));
    peer.write(frame({ opcode: OPCODE.ping, payload: 'p', key: KEY }));
    peer.end(
      frame({ opcode: OPCODE.close, payload: closePayload(1000), key: KEY })
    );
    await Promise.all([once(server, 'close'), ended]);

    const head = parseHead(received());

    expect(head.value).toContain(acceptOf(SAMPLE_KEY));
    expect(
      parseFrames(received().subarray(head.size)).map(({ opcode, payload }) => [
        opcode,
        payload.toString('latin1')
      ])
    ).toEqual([
      [OPCODE.text, 'Hello!'],
      [OPCODE.pong, 'p'],
      [OPCODE.close, '\x03\xe8']
    ]);
    expect(events.map(({ event }) => event)).toEqual([
      'message',
      'ping',
      'close'
    ]);
  });

  test('gets the rejection and is destroyed', async () => {
    const [socket, peer] = duplexPair();
    const wss = new lib.WebSocketServer({ noServer: true });
    const received = collect(peer);
    const callback = jest.fn();

    wss.handleUpgrade(
      request({ upgrade: 'h2c' }),
      socket,
      Buffer.alloc(0),
      callback
    );
    await once(socket, 'close');
    expect(received().toString()).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n.*\r\n\r\nInvalid Upgrade header$/s
    );
    expect(callback).not.toHaveBeenCalled();
  });

  test('is what injecting frameworks make a client of', async () => {
    const [socket, peer] = duplexPair();
    const client = new lib.WebSocket(null, undefined, { isServer: false });

    client._isServer = false;
    client.setSocket(socket, Buffer.alloc(0), { maxPayload: 0 });
    onRelease(() => client.terminate());
    expect(client.readyState).toBe(1);

    const received = collect(peer);

    client.send('masked', () => {
      const [sent] = parseFrames(received());

      expect(sent.key).not.toBe(null);
      expect(String(sent.payload)).toBe('masked');
      peer.write(frame({ opcode: OPCODE.text, payload: 'plain' }));
    });

    const [data] = await once(client, 'message');

    expect(String(data)).toBe('plain');
  });
});
