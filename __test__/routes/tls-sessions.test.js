'use strict';

const { once } = require('events');
const https = require('https');
const net = require('net');
const tls = require('tls');

const { kConnection } = require('../../lib/constants');
const { paths, runNode } = require('../support/child');
const { canAdopt, oxws, ws } = require('../support/implementations');
const { frame, OPCODE, KEY } = require('../support/wire');
const {
  trackServer,
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { connect } = require('../support/connection');
const { certificate, key } = require('../support/routes');

const HEAD =
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n' +
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

const both = [
  ['ws', ws],
  ['oxws', oxws]
];

/** A server, and a raw client of it that speaks TLS. */
async function serve(lib, options, onConnection) {
  const server = trackServer(
    https.createServer({ key, cert: certificate, ...options })
  );
  const wss = trackWebSocketServer(new lib.WebSocketServer({ server }));

  if (onConnection) wss.on('connection', onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const connected = once(wss, 'connection');
  const socket = trackSocket(
    tls.connect({
      port: server.address().port,
      host: '127.0.0.1',
      rejectUnauthorized: false
    })
  );

  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(HEAD);

  const [websocket] = await connected;

  return { server, socket, websocket };
}

/** The same through a socket that shows what passes: `middle`. */
async function serveThrough(lib) {
  const server = trackServer(https.createServer({ key, cert: certificate }));
  const wss = trackWebSocketServer(new lib.WebSocketServer({ server }));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const connected = once(wss, 'connection');
  const middle = trackSocket(net.connect(server.address().port, '127.0.0.1'));
  const proxy = trackServer(
    net.createServer((near) => {
      trackSocket(near).on('error', () => {});
      near.pipe(middle).pipe(near);
    })
  );

  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  const socket = trackSocket(
    tls.connect({
      port: proxy.address().port,
      host: '127.0.0.1',
      rejectUnauthorized: false
    })
  );

  socket.on('error', () => {});
  middle.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(HEAD);

  const [websocket] = await connected;

  return { middle, socket, websocket };
}

/** All bytes that come until the end. */
function bytesOf(socket) {
  const chunks = [];

  return new Promise((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

test('both ends go the way of the engine', async () => {
  const { server, client } = await connect({
    WebSocketServer: oxws.WebSocketServer,
    WebSocket: oxws.WebSocket,
    route: 'TLS'
  });
  const route = canAdopt ? 'engine, TLS' : 'stream';

  expect(server[kConnection].route).toBe(route);
  expect(client[kConnection].route).toBe(route);
});

describe('a session stays with Node', () => {
  /** The route of the server's end. */
  async function routeOf(options, prepare = () => {}) {
    const server = trackServer(
      https.createServer({ key, cert: certificate, ...options })
    );
    const wss = trackWebSocketServer(new oxws.WebSocketServer({ server }));

    prepare(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const connected = once(wss, 'connection');
    const client = trackWebSocket(
      new oxws(`wss://127.0.0.1:${server.address().port}`, {
        rejectUnauthorized: false
      })
    );
    const [[websocket]] = await Promise.all([connected, once(client, 'open')]);

    return websocket[kConnection].route;
  }

  test.each(['keylog', 'newSession', 'resumeSession'])(
    'for a server that listens to %s',
    async (event) => {
      const listener = (...args) => args.at(-1)();

      expect(
        await routeOf({}, (server) =>
          server.on(event, event === 'keylog' ? () => {} : listener)
        )
      ).toBe('stream');
    }
  );

  test('for a client whose context others may use', async () => {
    const { server } = await serve(oxws);
    const secureContext = tls.createSecureContext();
    const client = trackWebSocket(
      new oxws(`wss://127.0.0.1:${server.address().port}`, {
        rejectUnauthorized: false,
        secureContext
      })
    );

    await once(client, 'open');
    expect(client[kConnection].route).toBe('stream');
  });

  test('for a client that listens to sessions', async () => {
    const { server } = await serve(oxws);
    const client = trackWebSocket(
      new oxws(`wss://127.0.0.1:${server.address().port}`, {
        rejectUnauthorized: false,
        createConnection: (options) =>
          tls.connect(options).on('session', () => {})
      })
    );

    await once(client, 'open');
    expect(client[kConnection].route).toBe('stream');
  });

  test('where it is over another one', async () => {
    const outer = trackServer(
      tls.createServer({ key, cert: certificate }, (socket) => {
        inner.emit('connection', socket);
      })
    );
    const inner = https.createServer({ key, cert: certificate });
    const wss = trackWebSocketServer(
      new oxws.WebSocketServer({ server: inner })
    );

    outer.listen(0, '127.0.0.1');
    await once(outer, 'listening');

    const connected = once(wss, 'connection');
    const options = { rejectUnauthorized: false };
    const client = trackWebSocket(
      new oxws('wss://localhost', {
        ...options,
        createConnection: (dialled) =>
          tls.connect({
            ...dialled,
            socket: tls.connect(outer.address().port, '127.0.0.1', options)
          })
      })
    );
    const [[websocket]] = await Promise.all([connected, once(client, 'open')]);

    expect(websocket[kConnection].route).toBe('stream');
    expect(client[kConnection].route).toBe('stream');
    client.terminate();
    await once(websocket, 'close');
  });

  test.each([
    ['OXWS_TLS', 'stream', 'stream'],
    ['OXWS_ADOPT', '0', 'stream'],
    ['OXWS_TLS', 'engine', canAdopt ? 'engine, TLS' : 'stream']
  ])('with %s=%s it is %s', async (name, value, expected) => {
    const { code, stdout } = await runNode(
      ['-e', `(${printRoute})(${JSON.stringify(paths.oxws)})`],
      { [name]: value }
    );

    expect({ code, stdout }).toEqual({ code: 0, stdout: `${expected}\n` });
  });
});

/** Prints the route of a client of its own. */
function printRoute(library) {
  const fs = require('fs');
  const https = require('https');
  const path = require('path');
  const WebSocket = require(library);
  const { kConnection } = require(path.join(library, 'lib/constants'));
  const read = (name) =>
    fs.readFileSync(path.join(library, '__test__/support/tls', name));
  const server = https.createServer({
    key: read('key.pem'),
    cert: read('certificate.pem')
  });

  new WebSocket.Server({ server });
  server.listen(0, '127.0.0.1', () => {
    const client = new WebSocket(`wss://127.0.0.1:${server.address().port}`, {
      rejectUnauthorized: false
    });

    client.on('open', () => {
      console.log(client[kConnection].route);
      process.exit();
    });
  });
}

describe.each(both)('a session (%s)', (name, lib) => {
  test.each(['TLSv1.2', 'TLSv1.3'])('answers: %s', async (version) => {
    const { socket, websocket } = await serve(lib, { maxVersion: version });
    const arrival = once(websocket, 'message');
    const { _socket: near } = websocket;

    socket.write(frame({ opcode: OPCODE.text, payload: 'x', key: KEY }));
    await arrival;
    expect(near.getProtocol()).toBe(version);
    expect(near.getCipher()).toEqual(socket.getCipher());
    expect(near.getFinished()).toEqual(socket.getPeerFinished());
    expect(near.getPeerFinished()).toEqual(socket.getFinished());
    expect(near.exportKeyingMaterial(32, 'label', Buffer.from('c'))).toEqual(
      socket.exportKeyingMaterial(32, 'label', Buffer.from('c'))
    );
    expect(near.getCertificate().subject.CN).toBe('localhost');
    expect(near.getPeerCertificate()).toEqual({});
    expect(near.isSessionReused()).toBe(false);
    expect(near.getSession()).toBeInstanceOf(Buffer);
    expect(near.setMaxSendFragment(1024)).toBe(true);
    expect(near.setSession(near.getSession())).toBe(undefined);
    // Since Node.js 22.5.
    expect(near.setKeyCert?.({ key, cert: certificate })).toBe(undefined);
    expect(near.remotePort).toBe(socket.localPort);
    expect(near.encrypted).toBe(true);
    expect(near).toBeInstanceOf(tls.TLSSocket);
  });

  test('that is closed at once has said all', async () => {
    const { socket } = await serve(lib, {}, (websocket) => {
      websocket.send('first');
      websocket.send('second');
      websocket.terminate();
    });
    const bytes = String(await bytesOf(socket));

    expect(bytes).toMatch(/^HTTP\/1\.1 101 /);
    // What waits for a write of Node's own is lost.
    if (lib === oxws && canAdopt) expect(bytes).toMatch(/first.*second$/s);
  });

  test('that is destroyed below closes', async () => {
    const { server, socket, websocket } = await serve(lib);
    const closed = once(websocket, 'close');

    expect(socket.destroyed).toBe(false);
    websocket._socket._parent.destroy();
    expect((await closed)[0]).toBe(1006);
    server.close();
    await once(server, 'close');
  });

  test('that breaks tells why', async () => {
    const { middle, socket, websocket } = await serveThrough(lib);
    const closed = once(websocket, 'close');
    const failed = once(websocket._socket, 'error');
    const arrival = once(websocket, 'message');

    socket.write(frame({ opcode: OPCODE.text, payload: 'x', key: KEY }));
    await arrival;
    // No record of this session.
    middle.write(Buffer.from('1703030020' + '00'.repeat(32), 'hex'));

    const [err] = await failed;

    expect(err.code).toBe('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
    expect(err.reason).toBe('decryption failed or bad record mac');
    expect(err.library).toBe('SSL routines');
    expect((await closed)[0]).toBe(1006);
  });

  test('that ends without a word is closed', async () => {
    const { socket, websocket } = await serve(lib);
    const closed = once(websocket, 'close');

    socket.destroy();
    expect((await closed)[0]).toBe(1006);
  });

  test('that ends with close_notify is ended, too', async () => {
    const { socket, websocket } = await serve(lib);
    const closed = once(websocket, 'close');

    socket.resume();
    socket.end();
    await once(socket, 'close');
    expect((await closed)[0]).toBe(1006);
  });
});
