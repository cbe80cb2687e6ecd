'use strict';

/**
 * Servers whose clients hear what any of them says, in all processes. The
 * settings are one argument of JSON: `kind`, the `address` of the broker, and of
 * Socket.IO the `adapter`. Prints its port, for threads those of all.
 */
const { isMainThread, parentPort, Worker } = require('worker_threads');

const root = '../..';
const host = '127.0.0.1';
const settings = JSON.parse(process.argv[2]);
const { kind, address } = settings;

/** The clients of two connections to Redis, by ioredis. */
function ioredis() {
  const Redis = require('ioredis');

  return [1, 2].map(
    () => new Redis(address, { autoResendUnfulfilledCommands: false })
  );
}

/** And by node-redis. */
function nodeRedis() {
  const { createClient } = require('redis');

  return Promise.all(
    [1, 2].map(() => createClient({ socket: { path: address } }).connect())
  );
}

const backplanes = {
  async ioredis({ redisBackplane }) {
    const [publisher, subscriber] = ioredis();

    return redisBackplane({ publisher, subscriber, prefix: 'bench:' });
  },
  async 'node-redis'({ redisBackplane }) {
    const [publisher, subscriber] = await nodeRedis();

    return redisBackplane({ publisher, subscriber, prefix: 'bench:' });
  },
  async nats({ natsBackplane }) {
    const connection = await require('nats').connect({ servers: address });

    return natsBackplane({ connection, prefix: 'bench' });
  },
  machine: ({ machineBackplane }) => machineBackplane({ path: address }),
  threads: ({ threadBackplane }) => threadBackplane({ name: 'bench' })
};

/** By `Topics` and a backplane. */
async function serveTopics(listen) {
  const { WebSocketServer } = require(root);
  const { Topics } = require(`${root}/lib/extra`);
  const backplane = await backplanes[kind](require(`${root}/lib/backplanes`));
  const topics = new Topics({ backplane });
  const wss = new WebSocketServer({ host, port: 0 });

  topics.on('error', (err) => console.error(err.message));
  wss.on('connection', (ws) => {
    topics.subscribe(ws, 'all');
    ws.on('message', (data) => topics.publish('all', String(data)));
  });
  wss.on('listening', () => listen(wss.address().port));
}

/** As one writes it without them. */
async function serveByHand(listen) {
  const WebSocket = require(root);
  const [publisher, subscriber] = ioredis();

  await subscriber.subscribe('bench');

  const wss = new WebSocket.Server({ host, port: 0 });

  wss.on('connection', (ws) => {
    ws.on('message', (data) => publisher.publish('bench', data));
  });
  wss.on('listening', () => listen(wss.address().port));
  subscriber.on('message', (channel, text) => {
    for (const ws of wss.clients) {
      if (ws.readyState === WebSocket.OPEN) ws.send(text);
    }
  });
}

async function serveSocketIo(listen) {
  const { createServer } = require('http');
  const { Server } = require('socket.io');
  const { createAdapter } = require(settings.adapter);
  const server = createServer();
  const io = new Server(server, {
    adapter: createAdapter(...(await nodeRedis())),
    // No ping comes in between.
    pingInterval: 1e6,
    transports: ['websocket']
  });

  io.on('connection', (socket) => {
    socket.on('m', (text) => io.emit('m', text));
  });
  server.listen(0, host, () => listen(server.address().port));
}

function serve(listen) {
  if (kind === 'by-hand') return serveByHand(listen);
  if (kind === 'socket.io') return serveSocketIo(listen);

  return serveTopics(listen);
}

if (!isMainThread) {
  serve((port) => parentPort.postMessage(port));
} else if (kind === 'threads') {
  const ports = [];

  for (let count = 0; count < settings.count; count++) {
    new Worker(__filename, { argv: process.argv.slice(2) }).on(
      'message',
      (port) => {
        ports.push(port);
        if (ports.length === settings.count) console.log(ports.join());
      }
    );
  }
} else {
  serve((port) => console.log(port));
}
