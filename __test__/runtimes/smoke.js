'use strict';

// A little of everything, for runtimes that Jest does not run in:
// `bun __test__/runtimes/smoke.js`, `deno run -A __test__/runtimes/smoke.js`.
// Prints each part that works, and ends by itself.

const assert = require('assert');
const { once } = require('events');
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');

const WebSocket = require('../..');

const { WebSocketServer, createWebSocketStream } = WebSocket;

const pem = (name) =>
  fs.readFileSync(path.join(__dirname, '..', 'support', 'tls', name));
const tls = { cert: pem('certificate.pem'), key: pem('key.pem') };

/** Listens, and calls `use(url)`, with a server that echoes. */
async function withServer({ createServer, scheme = 'ws', ...options }, use) {
  const server = createServer && createServer();
  const wss = new WebSocketServer(
    server ? { ...options, server } : { ...options, port: 0 }
  );

  wss.on('connection', (ws, request) => {
    if (request.url === '/bye') ws.close(4000, 'Bye');
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  });
  if (server) server.listen(0);
  await once(server || wss, 'listening');
  await use(`${scheme}://localhost:${wss.address().port}/`);
  for (const client of wss.clients) client.terminate();
  await new Promise((resolve) => wss.close(resolve));
  if (server) await new Promise((resolve) => server.close(resolve));
}

async function open(url, options) {
  const ws = new WebSocket(url, options);

  await once(ws, 'open');
  return ws;
}

async function echo(ws, data, options) {
  ws.send(data, options);

  const [answer, isBinary] = await once(ws, 'message');

  assert.strictEqual(isBinary, typeof data !== 'string');
  assert.ok(Buffer.from(data).equals(answer));
}

async function exchange(url, options) {
  const ws = await open(url, options);

  await echo(ws, 'grüß dich');
  await echo(ws, '');
  for (const size of [1, 126, 4096, 65536, 1 << 20]) {
    await echo(ws, Buffer.alloc(size, 'abc'));
  }

  ws.ping('are you there?');
  assert.strictEqual(String((await once(ws, 'pong'))[0]), 'are you there?');

  ws.close(1000, 'done');

  const [code, reason] = await once(ws, 'close');

  assert.deepStrictEqual([code, String(reason)], [1000, 'done']);
}

const parts = {
  'a server with a port of its own': () => withServer({}, exchange),

  'the same, compressed': () =>
    withServer({ perMessageDeflate: { threshold: 0 } }, exchange),

  "the user's http.Server": () =>
    withServer({ createServer: () => http.createServer() }, exchange),

  "the user's https.Server": () =>
    withServer(
      { createServer: () => https.createServer(tls), scheme: 'wss' },
      (url) => exchange(url, { rejectUnauthorized: false })
    ),

  "a client with Node's http": () =>
    withServer({}, (url) => exchange(url, { followRedirects: true })),

  'the close code of a server': () =>
    withServer({}, async (url) => {
      const ws = new WebSocket(`${url}bye`);
      const [code, reason] = await once(ws, 'close');

      assert.deepStrictEqual([code, String(reason)], [4000, 'Bye']);
    }),

  'a refused connection': async () => {
    const [err] = await once(new WebSocket('ws://127.0.0.1:1'), 'error');

    assert.strictEqual(err.code, 'ECONNREFUSED');
  },

  'an answer that is no upgrade': () =>
    withServer({ path: '/only' }, async (url) => {
      const [err] = await once(new WebSocket(url), 'error');

      assert.strictEqual(err.message, 'Unexpected server response: 400');
    }),

  'a plain request': () =>
    withServer({}, async (url) => {
      const [response] = await once(
        http.get(url.replace(/^ws/, 'http')),
        'response'
      );

      assert.strictEqual(response.statusCode, 426);
      response.resume();
      await once(response, 'end');
    }),

  'a stream': () =>
    withServer({}, async (url) => {
      const stream = createWebSocketStream(await open(url), {
        encoding: 'utf8'
      });

      stream.write('over');
      assert.strictEqual((await once(stream, 'data'))[0], 'over');
      stream.destroy();
      await once(stream, 'close');
    }),

  '100 connections': () =>
    withServer({}, async (url) => {
      const all = await Promise.all(
        Array.from({ length: 100 }, () => open(url))
      );

      await Promise.all(all.map((ws, index) => echo(ws, `${index}`)));
      await Promise.all(
        all.map((ws) => {
          ws.close();
          return once(ws, 'close');
        })
      );
    })
};

async function main() {
  for (const [name, part] of Object.entries(parts)) {
    await part();
    console.log(name);
  }
}

main();
