'use strict';

// It is read when the library is loaded.
process.env.OXWS_TLS = 'engine';

const { once } = require('events');
const https = require('https');
const net = require('net');
const tls = require('tls');

const { kConnection } = require('../../lib/constants');
const { canAdopt, oxws, ws } = require('../support/implementations');
const { frame, OPCODE, KEY } = require('../support/wire');
const {
  trackServer,
  trackSocket,
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
    // What waits for a write of Node's own is lost with ws.
    if (lib === oxws) expect(bytes).toMatch(/first.*second$/s);
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
