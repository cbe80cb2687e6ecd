'use strict';

// Traffic over TLS that is broken off: `node tls-traffic.js LIBRARY`. Workers
// serve, the main thread dials; in the end the process exits amidst it all.

const { once } = require('events');
const fs = require('fs');
const https = require('https');
const path = require('path');
const { Worker, isMainThread, parentPort } = require('worker_threads');

const WebSocket = require(process.argv[2]);

const read = (name) =>
  fs.readFileSync(path.join(__dirname, '../../support/tls', name));

/** Echoes; resolves the URL. */
async function serve() {
  const server = https.createServer({
    key: read('key.pem'),
    cert: read('certificate.pem')
  });
  const wss = new WebSocket.Server({ server });
  let count = 0;

  wss.on('connection', (websocket, request) => {
    websocket.on('message', (data) => {
      websocket.send(data);
      request.socket.getCipher();
      if (++count % 50 === 0) global.gc();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return `wss://127.0.0.1:${server.address().port}`;
}

/** Clients that send what they get, of several lengths; `count` such messages. */
async function talk(url, count) {
  const clients = Array.from({ length: 8 }, (_, index) => {
    const client = new WebSocket(url, { rejectUnauthorized: false });

    client.on('error', () => {});
    client.on('open', () => {
      for (const length of [1, 100, 20000 * index]) {
        client.send(Buffer.alloc(length));
      }
    });
    return client;
  });
  const closed = clients.map((client) => once(client, 'close'));

  await new Promise((resolve) => {
    for (const client of clients) {
      client.on('message', (data) => {
        client.send(data);
        if (--count === 0) resolve();
      });
    }
  });

  return closed;
}

async function endWorker(end) {
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  const [url] = await once(worker, 'message');
  const closed = await talk(url, 200);
  const exited = once(worker, 'exit');

  if (end !== 'terminate()') worker.postMessage(end);
  if (end === 'spin') await once(worker, 'message');
  if (end !== 'exit') worker.terminate();
  await exited;

  const codes = new Set((await Promise.all(closed)).map(([code]) => code));

  console.log(end, ...codes);
}

async function main() {
  for (const end of ['terminate()', 'exit', 'spin']) await endWorker(end);

  process.on('exit', () => console.log('exit'));
  await talk(await serve(), 200);
  process.exit();
}

if (isMainThread) {
  void main();
} else {
  parentPort.on('message', (end) => {
    if (end === 'exit') process.exit();
    parentPort.postMessage('spinning');
    for (;;);
  });
  void serve().then((url) => parentPort.postMessage(url));
}
