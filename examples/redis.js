'use strict';

// Servers on several machines whose clients hear each other through Redis:
// `node examples/redis.js` runs two of them, on the ports 8080 and 8081;
// `node examples/redis.js PORT …` as many as ports are given. REDIS_URL names a
// Redis other than the one of this machine.

const { fork } = require('child_process');
const Redis = require('ioredis');
const WebSocket = require('oxws');

const { REDIS_URL = 'redis://localhost:6379', SERVER_PORT } = process.env;
const CHANNEL = 'oxws-example';

/** One server, as it would run on a machine of its own. */
async function serve(port) {
  // A connection that subscribes cannot do anything else.
  const publisher = connect();
  const subscriber = connect();

  await subscriber.subscribe(CHANNEL);

  const wss = new WebSocket.Server({ port });

  wss.on('connection', (ws) => {
    ws.on('error', console.error);
    ws.on('message', (data) => publisher.publish(CHANNEL, data));
  });
  wss.on('listening', () => {
    console.log('Listening on ws://localhost:%d', wss.address().port);
  });
  subscriber.on('message', (channel, text) => {
    for (const ws of wss.clients) {
      if (ws.readyState === WebSocket.OPEN) ws.send(text);
    }
  });
}

function connect() {
  const redis = new Redis(REDIS_URL);

  // ioredis connects again by itself.
  redis.on('error', (err) =>
    console.error('Redis: %s', err.message || err.code)
  );
  return redis;
}

if (SERVER_PORT !== undefined) {
  serve(SERVER_PORT);
} else {
  const [, , ...ports] = process.argv;
  const servers = (ports.length > 0 ? ports : ['8080', '8081']).map((port) =>
    fork(__filename, { env: { ...process.env, SERVER_PORT: port } })
  );

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => servers.forEach((server) => server.kill()));
  }
}
