'use strict';

// A server whose clients are in the room that their path names. What one says is
// heard by the others of its room, in all processes: `room-server.js KIND ADDRESS`.

const { WebSocketServer } = require('../../..');
const {
  machineBackplane,
  natsBackplane,
  redisBackplane
} = require('../../../lib/backplanes');
const { Topics } = require('../../../lib/extra');

const [, , kind, address] = process.argv;

const makers = {
  async redis() {
    const Redis = require('ioredis');
    const [publisher, subscriber] = [new Redis(address), new Redis(address)];

    return redisBackplane({ publisher, subscriber, prefix: 'rooms:' });
  },
  async nats() {
    const connection = await require('nats').connect({ servers: address });

    return natsBackplane({ connection, prefix: 'rooms' });
  },
  async machine() {
    return machineBackplane({ path: address });
  }
};

async function main() {
  const backplane = await makers[kind]();
  const { subscribe } = backplane;
  const subscriptions = [];

  backplane.subscribe = function (topic) {
    const subscribed = subscribe.call(this, topic);

    subscriptions.push(subscribed);
    return subscribed;
  };

  const topics = new Topics({ backplane });
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });

  wss.on('connection', (ws, { url }) => {
    topics.subscribe(ws, url);
    topics.subscribe(ws, 'all');
    ws.on('message', (data, isBinary) => {
      topics.publish(url, data, { binary: isBinary, except: ws });
      ws.send('said');
    });
  });
  wss.on('listening', () => process.send(wss.address().port));

  process.on('message', async (order) => {
    if (order === 'settle') process.send(await Promise.all(subscriptions));
    else topics.publish('all', 'fence');
  });
}

main();
