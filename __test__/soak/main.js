'use strict';

// Mixed traffic over all routes for some time, with every message checked, and
// misuse that every connection must come to its end in:
// node --expose-gc main.js SECONDS [SEED]. Prints its figures as JSON.
// OXWS_DRIVER chooses the driver.

const assert = require('assert');
const net = require('net');
const { setTimeout: sleep } = require('timers/promises');

const oxws = require('../..');
const { Mischief } = require('./ape');
const Conversation = require('./conversation');
const Meter = require('./meter');
const { Monkey, serveMonkeys } = require('./monkey');
const { serveAll } = require('./servers');
const Random = require('../support/random');

/** Conversations at once. */
const LANES = 24;

async function main(seconds, seed) {
  const servers = await serveAll(oxws);
  const cages = await serveMonkeys(oxws);
  const meter = new Meter(seconds);
  const end = Date.now() + seconds * 1000;
  const figures = { seed, conversations: 0, messages: 0, bytes: 0 };

  const lane = async (random) => {
    while (Date.now() < end) {
      const server = random.pick(servers);

      if (random.oneIn(15)) await halfRequest(random, server);

      const conversation = random.oneIn(3)
        ? new Monkey(oxws, random, random.pick(cages))
        : new Conversation(oxws, random, server);

      await conversation.run();
      figures.conversations++;
      figures.messages += conversation.messages;
      figures.bytes += conversation.bytes;
    }
  };

  await Promise.all(
    Array.from({ length: LANES }, (_, index) => lane(new Random(seed + index)))
  );
  for (const { wss } of [...servers, ...cages]) {
    while (wss.clients.size > 0) await sleep(1);
  }

  const { rss, descriptors } = await meter.end();

  assert.strictEqual(descriptors[1], descriptors[0], 'descriptors');
  for (const server of [...servers, ...cages]) await server.close();
  console.log(JSON.stringify({ ...figures, rss, descriptors }));
}

/** A peer that leaves in the middle of its request. */
async function halfRequest(random, { port }) {
  const socket = net.connect(port, '127.0.0.1');
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n';

  socket.on('error', () => {});
  socket.write(request.slice(0, random.below(request.length)));
  await new Promise((resolve) => socket.on('ready', resolve));
  if (random.oneIn(2)) socket.destroy();
  else socket.end();
  socket.resume();
  await new Promise((resolve) => socket.on('close', resolve));
}

const [seconds, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number);

assert(seconds > 0, 'a number of seconds');
process.on('uncaughtException', (err) => {
  if (err instanceof Mischief) return;

  console.error(`seed ${seed}:`, err);
  process.exit(1);
});
main(seconds, seed);
