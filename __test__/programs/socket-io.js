'use strict';

// A chat of three clients on Socket.IO, over WebSocket from the start or after
// an upgrade: `node socket-io.js websocket|polling`.

const { once } = require('events');
const http = require('http');
const { Server } = require('socket.io');
const { io: connect } = require('socket.io-client');
const WebSocket = require('ws');

const transports =
  process.argv[2] === 'polling' ? ['polling', 'websocket'] : ['websocket'];

async function main() {
  const httpServer = http.createServer();
  const io = new Server(httpServer, {
    wsEngine: WebSocket.Server,
    cookie: { name: 'sid' }
  });

  io.on('connection', (socket) => {
    const { conn, handshake } = socket;

    socket.on('echo', (...args) => args.pop()(...args));
    socket.on('join', (room, done) => {
      socket.join(room);
      done(conn.transport.name, handshake.address, conn.remoteAddress);
    });
    socket.on('say', (room, ...words) => io.to(room).emit('said', ...words));
    socket.on('leave', () => socket.disconnect());
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');

  const url = `http://127.0.0.1:${httpServer.address().port}`;
  const clients = [];

  for (const room of ['lounge', 'lounge', 'attic']) {
    const client = connect(url, {
      transports,
      forceNew: true,
      reconnection: false
    });

    await once(client, 'connect');
    if (client.io.engine.transport.name !== 'websocket') {
      await once(client.io.engine, 'upgrade');
    }

    const [transport, ...addresses] = await ask(client, 'join', room);

    console.log(room, transport, ...addresses);
    clients.push(client);
  }

  const [first, second, third] = clients;

  console.log(...(await ask(first, 'echo', 'text', 1, { deep: [true, null] })));

  const [bytes, large] = await ask(
    first,
    'echo',
    Buffer.from('bytes'),
    Buffer.alloc(300000, 'x')
  );

  console.log(String(bytes), large.length);

  const heard = [first, second].map((client) => once(client, 'said'));

  third.on('said', () => console.log('the attic hears what it must not'));
  third.emit('say', 'lounge', 'hello', Buffer.from('there'));
  for (const [word, bytes] of await Promise.all(heard)) {
    console.log(word, String(bytes));
  }

  const burst = new Promise((resolve) => {
    let count = 0;

    second.on('said', (index) => {
      if (index !== count++) console.log(`${index} is out of order`);
      if (count === 200) resolve();
    });
  });

  for (let index = 0; index < 200; index++) first.emit('say', 'lounge', index);
  await burst;

  const left = once(first, 'disconnect');

  first.emit('leave');
  console.log((await left)[0]);

  const gone = once(second, 'disconnect');

  third.disconnect();
  io.close();
  console.log((await gone)[0]);
}

function ask(client, ...args) {
  return new Promise((resolve) => {
    client.emit(...args, (...answer) => resolve(answer));
  });
}

main();
