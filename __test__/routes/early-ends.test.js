'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { implementations } = require('../support/implementations');
const {
  rawServer,
  switchingProtocols,
  upgradeRequest
} = require('../support/raw');
const {
  trackServer,
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');
const { turns } = require('./support/matrix');

/** Peers, one after the other: an end that is too early is not always so. */
const ROUNDS = 20;

const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n';

/** How a client comes to its 101, and what the server sends before that. */
const clients = [
  { name: 'a client' },
  { name: 'a client, behind a 103', before: EARLY_HINTS },
  { name: 'a client with an agent', options: { agent: new http.Agent() } },
  {
    name: 'a client that follows redirects',
    options: { followRedirects: true }
  },
  {
    name: 'a client that finishes its request',
    options: { finishRequest: (request) => request.end() }
  }
];

/** What a server has for a request, and how it comes to answer it. */
const servers = [
  { name: 'a server', start: startOwn },
  {
    name: 'a server, a head for Node',
    start: startOwn,
    request: upgradeRequest({ headers: { 'Content-Length': '0' } })
  },
  {
    name: 'a server, HTTP/1.0',
    start: startOwn,
    request: upgradeRequest().replace('HTTP/1.1', 'HTTP/1.0')
  },
  {
    name: 'a server, behind another request',
    start: startOwn,
    request: `GET / HTTP/1.1\r\nHost: x\r\n\r\n${upgradeRequest()}`
  },
  { name: 'an http.Server', start: startBehind },
  { name: 'a late handleUpgrade()', start: startLate }
];

async function startOwn({ WebSocketServer }, options) {
  const wss = trackWebSocketServer(
    new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  );

  await once(wss, 'listening');
  return { wss, port: wss.address().port };
}

async function startBehind({ WebSocketServer }, options) {
  const server = trackServer(http.createServer());
  const wss = trackWebSocketServer(new WebSocketServer({ server, ...options }));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { wss, port: server.address().port };
}

async function startLate({ WebSocketServer }) {
  const server = trackServer(http.createServer());
  const wss = trackWebSocketServer(new WebSocketServer({ noServer: true }));

  server.on('upgrade', (request, socket, head) => {
    setImmediate(() =>
      wss.handleUpgrade(request, socket, head, (websocket) =>
        wss.emit('connection', websocket)
      )
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { wss, port: server.address().port };
}

/** Two messages, and a close frame if there is a code. */
function frames(code, key) {
  const closing =
    code === 1006
      ? []
      : [frame({ opcode: OPCODE.close, payload: closePayload(code), key })];

  return Buffer.concat([
    frame({ opcode: OPCODE.text, payload: 'one', key }),
    frame({ opcode: OPCODE.text, payload: 'two', key }),
    ...closing
  ]);
}

/** What a WebSocket emits, once it is closed. */
function eventsOf(websocket) {
  const events = [];

  return new Promise((resolve) => {
    websocket.on('message', (data) => {
      events.push(`${data} ${websocket.readyState}`);
    });
    websocket.on('error', (err) => events.push(err.message));
    websocket.on('close', (code) => {
      events.push(code);
      resolve(events);
    });
  });
}

/** The same of the next WebSocket of a server, which `greet` sees first. */
function nextEvents(wss, greet = () => {}) {
  return new Promise((resolve) => {
    wss.once('connection', (websocket) => {
      resolve(eventsOf(websocket));
      greet();
    });
  });
}

async function connectRaw(port) {
  const socket = trackSocket(
    net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  );

  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

for (const { name, lib } of implementations) {
  describe.each(clients)(
    `a server that is gone at once: $name (${name})`,
    (row) => {
      const { before = '', options } = row;

      async function roundsOf(code, go) {
        const { url } = await rawServer((peer, head) => {
          go(
            peer.socket,
            Buffer.concat([
              Buffer.from(before + switchingProtocols(head)),
              frames(code)
            ])
          );
        });
        const results = [];

        for (let round = 0; round < ROUNDS; round++) {
          const client = trackWebSocket(new lib.WebSocket(url, options));

          results.push(await eventsOf(client));
        }
        return results;
      }

      test.each([1006, 4001])('FIN, code %i', async (code) => {
        const results = await roundsOf(code, (socket, bytes) =>
          socket.end(bytes)
        );

        expect(results).toEqual(Array(ROUNDS).fill(['one 1', 'two 1', code]));
      });

      test('RST', async () => {
        const results = await roundsOf(1006, (socket, bytes) =>
          socket.write(bytes, () => socket.resetAndDestroy())
        );

        expect(results).toEqual(Array(ROUNDS).fill(['one 1', 'two 1', 1006]));
      });
    }
  );

  describe.each(servers)(
    `a client that is gone at once: $name (${name})`,
    (row) => {
      const { start, request = upgradeRequest() } = row;

      test.each([1006, 4001])('FIN, code %i', async (code) => {
        const { wss, port } = await start(lib);
        const results = [];

        for (let round = 0; round < ROUNDS; round++) {
          const events = nextEvents(wss);
          const socket = await connectRaw(port);

          socket.end(Buffer.concat([Buffer.from(request), frames(code, KEY)]));
          results.push(await events);
        }
        expect(results).toEqual(Array(ROUNDS).fill(['one 1', 'two 1', code]));
      });

      test('RST behind the answer', async () => {
        const { wss, port } = await start(lib);
        const results = [];

        for (let round = 0; round < ROUNDS; round++) {
          const socket = await connectRaw(port);
          const events = nextEvents(wss, () => {
            socket.write(frames(1006, KEY), () => socket.resetAndDestroy());
          });

          socket.write(request);
          results.push(await events);
        }
        expect(results).toEqual(Array(ROUNDS).fill(['one 1', 'two 1', 1006]));
      });
    }
  );

  describe.each([
    { name: 'a server', start: startOwn },
    { name: 'an http.Server', start: startBehind }
  ])(
    `a client that ends while it is verified: $name (${name})`,
    ({ start }) => {
      /** A server whose `verifyClient` waits for the test. */
      async function verifying() {
        let onVerify;
        const verified = new Promise((resolve) => (onVerify = resolve));
        const { wss, port } = await start(lib, {
          verifyClient: (info, accept) => onVerify({ info, accept })
        });

        return { wss, socket: await connectRaw(port), verified };
      }

      test.each([
        ['', ''],
        [', and has sent frames with its request', frames(1006, KEY)]
      ])('is refused without a word%s', async (_, bytes) => {
        const { wss, socket, verified } = await verifying();
        const onConnection = jest.fn();
        const onData = jest.fn();

        wss.on('connection', onConnection);
        socket.on('data', onData);
        socket.end(
          Buffer.concat([Buffer.from(upgradeRequest()), Buffer.from(bytes)])
        );

        const { info, accept } = await verified;
        const { socket: accepted } = info.req;

        await once(accepted, 'end');
        expect(accepted.readable).toBe(false);
        accept(true);
        expect(accepted.destroyed).toBe(true);
        await once(socket, 'close');
        expect(onConnection).not.toHaveBeenCalled();
        expect(onData).not.toHaveBeenCalled();
      });

      test('is accepted for the frames that are not read', async () => {
        const { wss, socket, verified } = await verifying();
        const events = nextEvents(wss);

        socket.write(upgradeRequest());

        const { info, accept } = await verified;

        socket.end(frames(1006, KEY));
        await once(socket, 'finish');
        await turns();
        expect(info.req.socket.readable).toBe(true);
        accept(true);
        expect(await events).toEqual(['one 1', 'two 1', 1006]);
      });

      test('by a reset is refused', async () => {
        const { wss, socket, verified } = await verifying();
        const onConnection = jest.fn();

        wss.on('connection', onConnection);
        socket.write(upgradeRequest());

        const { info, accept } = await verified;
        const closed = new Promise((resolve) =>
          info.req.socket.on('close', resolve)
        );

        info.req.socket.on('error', () => {});
        socket.resetAndDestroy();
        await closed;
        accept(true);
        expect(onConnection).not.toHaveBeenCalled();
      });
    }
  );
}
