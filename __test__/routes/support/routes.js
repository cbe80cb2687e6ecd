'use strict';

const { once } = require('events');
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const os = require('os');
const path = require('path');

const { connect } = require('../../support/connection');
const { canAdopt } = require('../../support/implementations');
const {
  doNotAdopt,
  onRelease,
  trackServer,
  trackWebSocket,
  trackWebSocketServer
} = require('../../support/resources');
const MemorySocket = require('./memory-socket');

/** What carries a socket that Node upgraded: the engine, unless it may not. */
const ADOPTED = canAdopt ? 'NativeConnection' : 'StreamConnection';

/** What a WebSocketServer gives its WebSockets, for those made by hand. */
const DEFAULTS = {
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: 30000,
  maxBufferedChunks: 256 * 1024,
  maxFragments: 16 * 1024,
  maxPayload: 100 * 1024 * 1024,
  maxPendingAutoPongs: 60
};

/**
 * How a server's WebSocket and a client come to talk to each other, seen from
 * outside. `connection` names what carries them in oxws, `clientConnection` what
 * carries the client if that is another, `isNet` whether sockets of the operating
 * system lie bare below, `isOnlyOxws` whether to ws it is the same as the one
 * before. Of a `driverless` one Node reads and writes both ends.
 *
 * `open(pair, { server, client })`, the options of both, resolves
 * `{ server, client }`, and `{ wss, request }` where there are.
 */
const routes = [
  {
    name: 'native',
    connection: ADOPTED,
    clientConnection: 'NativeConnection',
    isNet: true,
    open: connect
  },
  {
    name: 'adopted',
    connection: ADOPTED,
    isNet: true,
    open: (pair, setup) => connect({ ...pair, route: 'adopted' }, setup)
  },
  {
    name: 'handleUpgrade()',
    connection: ADOPTED,
    isNet: true,
    open: openHandled
  },
  {
    name: 'not adopted',
    connection: 'StreamConnection',
    isNet: true,
    driverless: true,
    open: openNotAdopted
  },
  {
    name: 'unix socket',
    connection: ADOPTED,
    clientConnection: 'NativeConnection',
    isNet: true,
    open: (pair, setup) => openUnix(pair, setup)
  },
  {
    name: 'unix socket, adopted',
    connection: ADOPTED,
    isNet: true,
    open: (pair, setup) => openUnix(pair, setup, { agent: new http.Agent() })
  },
  {
    name: 'TLS',
    connection: ADOPTED,
    isNet: false,
    open: (pair, setup) => connect({ ...pair, route: 'TLS' }, setup)
  },
  {
    name: 'TLS, not adopted',
    connection: 'StreamConnection',
    isNet: false,
    driverless: true,
    isOnlyOxws: true,
    open: openTlsNotAdopted
  },
  {
    name: 'HTTP/2',
    connection: 'StreamConnection',
    isNet: false,
    driverless: true,
    open: openHttp2
  },
  {
    name: 'Duplex',
    connection: 'StreamConnection',
    isNet: false,
    driverless: true,
    open: openMemory
  }
];

/** The server of a `noServer` WebSocketServer; the client's is adopted. */
async function openHandled(pair, setup = {}) {
  const httpServer = trackServer(http.createServer());
  const wss = trackWebSocketServer(
    new pair.WebSocketServer({ noServer: true, ...setup.server })
  );

  httpServer.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (websocket) => {
      wss.emit('connection', websocket, request);
    });
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');

  const { port } = httpServer.address();

  return join(pair, wss, `ws://127.0.0.1:${port}/`, {
    agent: new http.Agent(),
    ...setup.client
  });
}

/** As 'adopted', but JavaScript keeps the sockets. */
function openNotAdopted(pair, setup) {
  doNotAdopt();
  return connect({ ...pair, route: 'adopted' }, setup);
}

/** As 'TLS', but JavaScript keeps the sockets. */
function openTlsNotAdopted(pair, setup) {
  doNotAdopt();
  return connect({ ...pair, route: 'TLS' }, setup);
}

/** An http.Server on a unix socket. */
async function openUnix(pair, setup = {}, clientOptions = {}) {
  const socketPath = temporarySocketPath();
  const httpServer = trackServer(http.createServer());
  const wss = trackWebSocketServer(
    new pair.WebSocketServer({ server: httpServer, ...setup.server })
  );

  httpServer.listen(socketPath);
  await once(httpServer, 'listening');

  return join(pair, wss, `ws+unix:${socketPath}:/`, {
    ...clientOptions,
    ...setup.client
  });
}

/** A path for a unix socket, in a directory that goes with the test. */
function temporarySocketPath() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));

  onRelease(() => fs.rmSync(directory, { recursive: true }));
  return path.join(directory, 'socket');
}

/** A client of a listening server, and what the server has for it. */
async function join(pair, wss, url, options) {
  const connected = once(wss, 'connection');
  const client = trackWebSocket(new pair.WebSocket(url, options));
  const [[server, request]] = await Promise.all([
    connected,
    once(client, 'open')
  ]);

  return { wss, request, server, client };
}

/** Two streams of one HTTP/2 connection (RFC 8441). */
async function openHttp2(pair, setup = {}) {
  const httpServer = trackServer(
    http2.createServer({ settings: { enableConnectProtocol: true } })
  );

  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');

  const session = http2.connect(
    `http://127.0.0.1:${httpServer.address().port}`
  );
  const accepted = once(httpServer, 'stream');

  onRelease(async () => {
    session.destroy();
    if (!session.closed) await once(session, 'close');
  });
  await once(session, 'remoteSettings');

  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/'
  });
  const [serverStream] = await accepted;

  serverStream.respond({ ':status': 200 });
  await once(stream, 'response');

  return wrap(pair, setup, serverStream, stream);
}

/** Two streams of the user's own make. */
async function openMemory(pair, setup = {}) {
  return wrap(pair, setup, ...MemorySocket.pair());
}

/** WebSockets over two streams, without any opening handshake. */
function wrap({ serverLib, clientLib }, setup, serverStream, clientStream) {
  return {
    server: fromStream(serverLib, serverStream, true, setup.server),
    client: fromStream(clientLib, clientStream, false, setup.client)
  };
}

/** A WebSocket over a stream, in the role of the server or the client. */
function fromStream({ WebSocket }, stream, isServer, options) {
  const settings = { ...DEFAULTS, ...options, isServer };
  const websocket = new WebSocket(null, undefined, settings);

  websocket._isServer = isServer;
  websocket.setSocket(stream, Buffer.alloc(0), settings);
  return trackWebSocket(websocket);
}

module.exports = { ADOPTED, fromStream, routes, temporarySocketPath };
