'use strict';

// Packets on Engine.IO with compression: `node engine-io.js`.

const EventEmitter = require('events');
const http = require('http');
const engine = require('engine.io');
const { Socket } = require('engine.io-client');
const WebSocket = require('ws');

const { once } = EventEmitter;

/** Emits the reasons for which sockets of the server close. */
const ends = new EventEmitter();

/** Resolves with the reasons of both sides. */
async function closed(client) {
  const [[reason], own] = await Promise.all([
    once(ends, 'close'),
    new Promise((resolve) => client.once('close', resolve))
  ]);

  return `server: ${reason}, client: ${own}`;
}

async function main() {
  const httpServer = http.createServer();
  const server = new engine.Server({
    wsEngine: WebSocket.Server,
    pingInterval: 50,
    perMessageDeflate: { threshold: 100 },
    maxHttpBufferSize: 1e6,
    cookie: { name: 'io' }
  });

  server.attach(httpServer);
  server.on('connection', (socket) => {
    console.log(socket.transport.name, socket.remoteAddress);
    socket.on('message', (data) => {
      if (data === 'bye') socket.close();
      else socket.send(data, { compress: true }, () => {});
    });
    socket.on('close', (reason) => ends.emit('close', reason));
  });
  server.on('headers', (headers, request) => {
    headers['x-path'] = request.url.split('?')[0];
  });
  server.on('upgrade', () => console.log('never reached'));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');

  const url = `ws://127.0.0.1:${httpServer.address().port}`;
  const client = new Socket(url, {
    transports: ['websocket'],
    autoUnref: true,
    perMessageDeflate: true
  });

  await new Promise((resolve) => client.once('open', resolve));

  for (const data of [
    'text',
    'x'.repeat(100000),
    Buffer.from([1, 2, 3]),
    Buffer.alloc(100000, 'abc')
  ]) {
    const answered = new Promise((resolve) => client.once('message', resolve));

    client.send(data);

    const answer = await answered;

    console.log(typeof answer, Buffer.from(answer).equals(Buffer.from(data)));
  }

  for (let count = 0; count < 3; count++) {
    await new Promise((resolve) => client.once('ping', resolve));
  }
  console.log('three pings');

  const left = closed(client);

  client.send('bye');
  console.log(await left);

  const refused = new Socket(url, { transports: ['websocket'] });

  await new Promise((resolve) => refused.once('open', resolve));

  const failed = closed(refused);

  refused.send('x'.repeat(2e6));
  console.log(await failed);

  server.close();
  httpServer.close();
}

main();
