'use strict';

/**
 * A server that does one thing of `oxws/extra`, or what takes its place, once
 * all its clients are there. The settings are one argument of JSON; prints its
 * port, and then what came of it.
 */
const { monitorEventLoopDelay } = require('perf_hooks');

const { resident, usage } = require('../usage');

const settings = JSON.parse(process.argv[2]);
const { clients: count, way } = settings;
const { WebSocketServer } = require(settings.module);
const extra = settings.extra ? require(settings.extra) : {};

const KIB = 1024;
const MIB = 1024 * KIB;

const wss = new WebSocketServer({
  host: '127.0.0.1',
  port: 0
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise(setImmediate);

/** What sends a message to all. */
function sendToAll() {
  if (way === 'broadcast') {
    return (data, options) =>
      extra.broadcast(wss.clients, data, { ...options, ...settings.slow });
  }
  if (way === 'topics') {
    const topics = new extra.Topics(settings.slow);

    for (const client of wss.clients) topics.subscribe(client, 'all');
    return (data, options) => topics.publish('all', data, options);
  }
  return (data, options) => {
    for (const client of wss.clients) client.send(data, options);
  };
}

/** A JSON document of `length` bytes, much as prices are told. */
function json(length, seed) {
  const rows = [];

  for (let id = 0; rows.length * 40 < length; id++) {
    rows.push({ id: seed + id, bid: seed * 0.37 + id, ask: id * 1.013 });
  }
  return JSON.stringify(rows).slice(0, length);
}

async function drained() {
  const isBusy = (client) => client.bufferedAmount > 0;

  while ([...wss.clients].some(isBusy)) await wait(1);
}

/**
 * Runs `work` for some seconds and tells how late the event loop was: what Node.js
 * notes is the time from one timer to the next, with the millisecond that it waits.
 */
async function withDelay(work) {
  const resolution = 1;
  const delay = monitorEventLoopDelay({ resolution });
  const before = usage(process.pid);
  const begin = performance.now();

  delay.enable();
  await work();
  delay.disable();

  const seconds = (performance.now() - begin) / 1000;
  const after = usage(process.pid);

  const late = (nanoseconds) => nanoseconds / 1e6 - resolution;

  return {
    p50: late(delay.percentile(50)),
    p99: late(delay.percentile(99)),
    max: late(delay.max),
    main: (after.main - before.main) / 1e6 / seconds,
    all: (after.all - before.all) / 1e6 / seconds
  };
}

const works = {
  /** The most memory while large messages are sent, some of it to who is stalled. */
  async memory({ messages, size, stalled }) {
    const send = sendToAll();
    const reading = [...wss.clients].slice(stalled);
    let most = 0;

    global.gc();

    const before = resident(process.pid);

    for (let index = 0; index < messages; index++) {
      send(Buffer.alloc(size, index));
      while (reading.some(({ bufferedAmount }) => bufferedAmount > 0)) {
        most = Math.max(most, resident(process.pid));
        await wait(2);
      }
      most = Math.max(most, resident(process.pid));
    }
    return { before: before / MIB, most: (most - before) / MIB };
  },

  /** So many messages a second, evenly. */
  async storm({ messages, seconds, size }) {
    const send = sendToAll();

    return withDelay(async () => {
      const begin = performance.now();

      for (let index = 0; index < messages * seconds; index++) {
        const due = begin + (index * 1000) / messages;

        // Who is late lets the event loop turn all the same.
        if (due > performance.now()) await wait(due - performance.now());
        else await turn();
        send(json(size, index), { binary: false });
      }
    });
  },

  /** Subscriptions that come and go. */
  async churn({ topics: names, members, seconds, changes }) {
    const topics = new extra.Topics();
    const clients = [...wss.clients];
    const nameOf = (index) => `a topic with the number ${index % names}`;

    for (const client of clients) topics.subscribe(client, 'first');
    global.gc();

    const empty = resident(process.pid);

    for (let index = 0; index < names * members; index++) {
      topics.subscribe(clients[index % clients.length], nameOf(index));
    }
    global.gc();

    const full = resident(process.pid);
    let next = 0;
    const cpu = usage(process.pid).main;
    const sizes = [];

    for (let tick = 0; tick < seconds * 100; tick++) {
      const begin = performance.now();

      for (let change = 0; change < changes / 200; change++, next++) {
        topics.unsubscribe(clients[next % clients.length], nameOf(next));
        topics.subscribe(clients[(next * 7) % clients.length], nameOf(next));
      }
      if (tick % 100 === 99) {
        global.gc();
        sizes.push(resident(process.pid));
      }
      await wait(Math.max(0, 10 - (performance.now() - begin)));
    }
    return {
      bytes: (full - empty) / (names * members),
      change: (usage(process.pid).main - cpu) / (changes * seconds),
      grown: (sizes.at(-1) - sizes[0]) / MIB
    };
  },

  /** Much to one reader, in pieces. */
  async flow({ total, size }) {
    const [client] = wss.clients;
    const chunk = Buffer.alloc(size);

    await wait(100);
    global.gc();

    const before = resident(process.pid);
    const begin = performance.now();
    let most = before;

    for (let sent = 0, index = 0; sent < total; sent += size, index++) {
      if (way === 'sendAsync') await extra.sendAsync(client, chunk);
      else await new Promise((resolve) => client.send(chunk, resolve));
      if (index % 64 === 0) most = Math.max(most, resident(process.pid));
    }
    await drained();

    const seconds = (performance.now() - begin) / 1000;

    return { grown: (most - before) / MIB, rate: total / MIB / seconds };
  },

  /** Nothing, or what looks after those who say nothing. */
  async idle({ seconds, interval }) {
    global.gc();
    await wait(500);

    const before = process.memoryUsage().heapUsed;
    const keeping =
      way === 'keepAlive' &&
      // Nobody answers, and nobody is given up.
      extra.keepAlive(wss, { pingInterval: interval, pingTimeout: 1e6 });
    const result = await withDelay(() => wait(seconds * 1000));

    global.gc();

    const bytes = (process.memoryUsage().heapUsed - before) / count;

    if (keeping) keeping.stop();
    return { ...result, bytes, left: wss.clients.size };
  }
};

wss.on('listening', async () => {
  console.log(wss.address().port);
  while (wss.clients.size < count) await wait(10);
  for (const client of wss.clients) client.on('error', () => {});
  await wait(200);
  await turn();
  console.log(JSON.stringify(await works[settings.work](settings)));
  process.exit();
});
