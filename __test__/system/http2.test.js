'use strict';

// A page that came over HTTP/2: its WebSockets come over the same connection.
// Functions that `page.evaluate()` gets run in the page.

const { once } = require('events');
const http2 = require('http2');

const { serveHttp2, shutdown } = require('../../lib/extra');
const { oxws } = require('../support/implementations');
const { certificate, key } = require('../support/routes');
const { openPage } = require('./support/browser');
const dial = require('./support/dial');

const sessions = new Set();
const server = http2.createSecureServer(
  { key, cert: certificate, allowHTTP1: true },
  (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><link rel="icon" href="data:,">');
  }
);
const wss = new oxws.WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  verifyClient: ({ req }) => req.url !== '/refused'
});
let page;
let url;

serveHttp2(wss, server);
server.on('session', (session) => sessions.add(session));

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = server.address();

  url = `wss://127.0.0.1:${port}`;
  page = await openPage(`https://127.0.0.1:${port}/`, {}, dial);
});

afterAll(async () => {
  await shutdown(wss, { timeout: 1000 });
  for (const session of sessions) session.destroy();
  server.close();
});

/** The server's end of what the page does, and what that gives. */
async function run(work, ...args) {
  const accepted = once(wss, 'connection');
  const result = page.evaluate(work, [url, ...args]);
  const [websocket, request] = await accepted;

  return { websocket, request, result };
}

test('Chromium opens it on the connection of the page', async () => {
  const { websocket, request, result } = await run(async ([url]) => {
    const ws = await window.dial(`${url}/chat?a`, ['chat', 'other']);

    ws.binaryType = 'arraybuffer';
    ws.send('text'.repeat(250_000));
    ws.send(new Uint8Array([1, 2, 3]));

    const answers = [
      (await ws.next()) === 'text'.repeat(250_000),
      [...new Uint8Array(await ws.next())],
      ws.protocol,
      ws.extensions
    ];

    ws.close(4000, 'bye');
    return [...answers, await ws.closed];
  });
  const closed = once(websocket, 'close');

  websocket.on('message', (data, binary) => websocket.send(data, { binary }));
  expect([request.httpVersion, request.url]).toEqual(['2.0', '/chat?a']);
  expect(request.stream.session).toBeDefined();
  expect(await result).toEqual([
    true,
    [1, 2, 3],
    'chat',
    'permessage-deflate',
    { code: 4000, reason: 'bye', wasClean: true }
  ]);
  expect((await closed)[0]).toBe(4000);
  expect(sessions.size).toBe(1);
});

test.each([
  ['closes', (ws) => ws.close(4001, 'enough'), [4001, 'enough', true]],
  ['terminates', (ws) => ws.terminate(), [1006, '', false]]
])('Chromium hears that the server %s it', async (title, end, expected) => {
  const { websocket, result } = await run(async ([url]) => {
    const ws = await window.dial(url);

    ws.send('open');

    const { code, reason, wasClean } = await ws.closed;

    return [code, reason, wasClean];
  });

  websocket.on('message', () => end(websocket));
  expect(await result).toEqual(expected);
});

test('Chromium hears a refusal', async () => {
  const result = await page.evaluate(async (url) => {
    const ws = await window.dial(`${url}/refused`);

    return (await ws.closed).code;
  }, url);

  expect(result).toBe(1006);
});
