'use strict';

const { once } = require('events');

const { WebSocket } = require('../..');
const { Program } = require('../support/program');
const { trackWebSocket } = require('../support/resources');
const { Redis } = require('./support/brokers');

const FILE = 'examples/processes/server.js';

/** Those who are in a room, and what they heard. */
async function join(url, room) {
  const ws = trackWebSocket(
    new WebSocket(`${url.replace(/^http/, 'ws')}/${room}`)
  );
  const texts = [];

  ws.on('message', (data) => texts.push(String(data)));
  await once(ws, 'message');
  return {
    ws,
    texts,
    async hears(text) {
      while (!texts.includes(text)) await once(ws, 'message');
    }
  };
}

async function urlsOf(program) {
  return [await program.url(), await program.url(), await program.url()];
}

test('three processes are one chat', async () => {
  const program = new Program(FILE, { env: { REDIS_URL: '' } });
  const urls = await urlsOf(program);
  const guests = await Promise.all(
    urls.flatMap((url) => [join(url, 'red'), join(url, 'blue')])
  );

  expect(new Set(urls).size).toBe(3);
  expect(new Set(guests.map(({ texts }) => texts[0])).size).toBe(3);

  // The subscriptions are asked for before anything is published.
  for (const [index, { ws, texts }] of guests.entries()) {
    const room = guests.filter((_, other) => other % 2 === index % 2);
    const text = `${texts[0].replace('You talk to ', '')}: grüße 🦀 ${index}`;

    ws.send(`grüße 🦀 ${index}`);
    await Promise.all(room.map((guest) => guest.hears(text)));
  }

  // The other room heard nothing of it.
  for (const { texts } of guests) expect(texts).toHaveLength(4);

  const response = await fetch(urls[0], { headers: { Connection: 'close' } });

  expect(await response.text()).toContain('<title>Chat</title>');
  expect(await program.stop()).toEqual({ code: 0, signal: null, stderr: '' });
});

test('use the Redis that REDIS_URL names', async () => {
  const redis = await Redis.start();
  const program = new Program(FILE, { env: { REDIS_URL: redis.socket } });
  const [one, two] = await urlsOf(program);
  const guests = [await join(one, 'red'), await join(two, 'red')];

  guests[0].ws.send('Hello');
  await guests[1].hears(
    `${guests[0].texts[0].replace('You talk to ', '')}: Hello`
  );
  expect(await program.stop()).toEqual({ code: 0, signal: null, stderr: '' });
});

test('say what is missing', async () => {
  const program = new Program(FILE, { env: { PATH: '', REDIS_URL: '' } });
  const { code, stderr } = await program.ended;

  expect(code).toBe(1);
  expect(stderr).toMatch(/needs Redis.*no redis-server .*REDIS_URL/s);
});
