'use strict';

const { once } = require('events');
const http2 = require('http2');

const { serveHttp2 } = require('../../../lib/extra');
const { oxws } = require('../../support/implementations');
const { RawPeer } = require('../../support/raw');
const {
  onRelease,
  trackServer,
  trackWebSocketServer
} = require('../../support/resources');
const { turns } = require('../../routes/support/matrix');
const { certificate, key } = require('../../support/routes');

/** What a request for a WebSocket has at least, after the pseudo-headers. */
const VERSION = { 'sec-websocket-version': '13' };

/** A server with TLS that speaks HTTP/1.1, too, and answers plain requests. */
function createSecureServer(options) {
  return http2.createSecureServer(
    { key, cert: certificate, allowHTTP1: true, ...options },
    (request, response) => response.end('plain')
  );
}

/** A server without, of which nobody asks for anything but WebSockets. */
function createServer(options) {
  return http2.createServer(options);
}

/**
 * A listening server for WebSockets over HTTP/2.
 *
 * @param {object} [options] of the WebSocketServer
 * @param {import('http2').Http2Server} [server]
 * @returns {Promise<{ wss, server, port, url, connect }>} `connect()` makes a
 *     session of a client
 */
async function serve(options, server = createServer()) {
  const wss = trackWebSocketServer(
    new oxws.WebSocketServer({ noServer: true, ...options })
  );

  serveHttp2(wss, server);

  return { wss, ...(await listen(server)) };
}

/** A server that listens, whatever it is for. */
async function listen(server) {
  const scheme = 'setSecureContext' in server ? 'https' : 'http';

  trackServer(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = server.address();
  const url = `${scheme}://127.0.0.1:${port}`;

  return { server, port, url, connect: () => openSession(url) };
}

/** A session that ends with the test. */
function openSession(url) {
  const session = http2.connect(url, { rejectUnauthorized: false });

  session.on('error', () => {});
  onRelease(async () => {
    // Node.js 20 loops for ever where that happens as a stream of it closes.
    await turns(1);
    if (session.destroyed) return;
    session.destroy();
    await once(session, 'close');
  });
  return session;
}

/**
 * A raw client on a stream of its own.
 *
 * @returns {Promise<{ stream, peer: RawPeer, response }>} `response` are the
 *     headers
 */
async function openStream(session, headers = {}) {
  if (!session.remoteSettings.enableConnectProtocol) {
    await once(session, 'remoteSettings');
  }

  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/',
    ...VERSION,
    ...headers
  });
  const peer = new RawPeer(stream);
  const [response] = await once(stream, 'response');

  return { stream, peer, response };
}

/** A WebSocket of a server and the raw client of it. */
async function openRaw(options, headers) {
  const served = await serve(options);
  const session = served.connect();
  const accepted = once(served.wss, 'connection');
  const client = await openStream(session, headers);
  const [websocket, request] = await accepted;

  return { ...served, session, websocket, request, ...client };
}

/** Status, body and fields with which a request is refused. */
async function refusal(session, headers) {
  const { peer, response, stream } = await openStream(session, headers);
  const body = String(await peer.rest());

  await peer.closed;
  return { status: response[':status'], body, response, code: stream.rstCode };
}

module.exports = {
  createSecureServer,
  createServer,
  listen,
  openRaw,
  openSession,
  openStream,
  refusal,
  serve
};
