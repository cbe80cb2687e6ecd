'use strict';

// One of the servers of the chat, as it would run on a machine of its own: see
// server.js.

const fs = require('fs');
const { createServer } = require('http');
const path = require('path');

const Redis = require('ioredis');
const { WebSocketServer } = require('oxws');
const { redisBackplane } = require('oxws/backplanes');
const { Topics, keepAlive, shutdown } = require('oxws/extra');

const MAX_TEXT = 1000;

const { NAME, PORT, REDIS } = process.env;
const page = fs.readFileSync(path.join(__dirname, 'page.html'));

const server = createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page);
});
const wss = new WebSocketServer({ server, maxPayload: 4 * MAX_TEXT });

// A connection that subscribes can do nothing else.
const [publisher, subscriber] = [connect(), connect()];
const topics = new Topics({
  // Who does not read is cut off, rather than kept in memory.
  maxBuffered: 1024 * 1024,
  onSlow: 'terminate',
  backplane: redisBackplane({ publisher, subscriber, prefix: 'chat:' })
});

// What was not published: those who are here have heard it.
topics.on('error', (err) => console.error('%s: %s', NAME, err.message));

wss.on('connection', (ws, { url }) => {
  const room = new URL(url, 'http://localhost').pathname;

  topics.subscribe(ws, room);
  ws.on('error', (err) => console.error('%s: %s', NAME, err.message));
  ws.on('message', (data, isBinary) => {
    const text = String(data);

    if (isBinary || text.length > MAX_TEXT) ws.close(1008, 'Text, please');
    else topics.publish(room, `${NAME}: ${text}`);
  });
  ws.send(`You talk to ${NAME}`);
});

keepAlive(wss);

process.once('SIGTERM', async () => {
  server.close();
  await shutdown(wss, { timeout: 5000 });
  await topics.close();
  publisher.disconnect();
  subscriber.disconnect();
});
// The terminal sends it to all; the one that has started us tells us.
process.on('SIGINT', () => {});

// Those who come first are to hear the others, too.
Promise.all([publisher, subscriber].map(onceReady)).then(() => {
  server.listen(PORT, () => {
    console.log('Listening on http://localhost:%d', server.address().port);
  });
});

function onceReady(redis) {
  return new Promise((resolve) => redis.once('ready', resolve));
}

function connect() {
  const redis = new Redis(REDIS, {
    // A message of a connection that has broken is not sent again.
    autoResendUnfulfilledCommands: false
  });

  // It connects again by itself.
  redis.on('error', (err) => {
    console.error('%s: Redis: %s', NAME, err.message || err.code);
  });
  return redis;
}
