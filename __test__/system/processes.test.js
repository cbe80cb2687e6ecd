'use strict';

// Three processes with 500 clients each: every client gets what it has to, once
// and in order, and nothing else.

const { fork } = require('child_process');
const { once } = require('events');
const path = require('path');

const { WebSocket } = require('../..');
const { onRelease } = require('../support/resources');
const { Nats, Redis, makeDirectory } = require('./support/brokers');

const PROCESSES = 3;
const CLIENTS = 500;
const ROOMS = 20;
const MESSAGES = 3;

const rows = [
  ['redis', async () => (await Redis.start()).socket],
  ['nats', async () => (await Nats.start()).url],
  ['machine', () => path.join(makeDirectory(), 'socket')]
];

async function startServer(...args) {
  const child = fork(path.join(__dirname, 'support', 'room-server.js'), args);

  onRelease(async () => {
    const exited = once(child, 'exit');

    child.kill('SIGKILL');
    await exited;
  });

  const [port] = await once(child, 'message');

  return { child, port };
}

/** One in a room; `heard` is what it got. */
class Client {
  constructor(port, number, room) {
    this.number = number;
    this.room = room;
    this.heard = [];
    this.acknowledged = 0;
    this.fences = 0;
    this.onProgress = () => {};
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/${room}`);
    this.ws.on('message', (data, isBinary) => {
      const text = String(data);

      if (text === 'said') this.acknowledged++;
      else if (text === 'fence') this.fences++;
      else this.heard.push(`${text}${isBinary ? '!' : ''}`);
      this.onProgress();
    });
  }

  /** What others hear of it, all in one tick. */
  speak() {
    for (let index = 0; index < MESSAGES; index++) {
      const text = `${this.number} says ${index}`;

      this.ws.send(index % 2 === 0 ? text : Buffer.from(text));
    }
  }

  until(isSo) {
    return new Promise((resolve) => {
      this.onProgress = () => isSo(this) && resolve();
      this.onProgress();
    });
  }
}

const linesOf = (number) =>
  Array.from(
    { length: MESSAGES },
    (_, index) => `${number} says ${index}${index % 2 === 0 ? '' : '!'}`
  );

test.each(rows)('by %s', async (kind, start) => {
  const address = await start();
  const servers = await Promise.all(
    Array.from({ length: PROCESSES }, () => startServer(kind, address))
  );
  const clients = servers.flatMap(({ port }, index) =>
    Array.from(
      { length: CLIENTS },
      (_, each) => new Client(port, index * CLIENTS + each, each % ROOMS)
    )
  );

  onRelease(() => clients.forEach(({ ws }) => ws.terminate()));
  await Promise.all(clients.map(({ ws }) => once(ws, 'open')));
  await Promise.all(
    servers.map(({ child }) => {
      child.send('settle');
      return once(child, 'message');
    })
  );

  // One of each room in each process.
  const speakers = clients.filter(({ number }) => number % CLIENTS < ROOMS);

  for (const speaker of speakers) speaker.speak();
  await Promise.all(
    speakers.map((speaker) =>
      speaker.until(({ acknowledged }) => acknowledged === MESSAGES)
    )
  );
  for (const { child } of servers) child.send('fence');
  await Promise.all(
    clients.map((client) => client.until(({ fences }) => fences === PROCESSES))
  );

  // Each speaker's come in order; the order of the speakers is nobody's.
  const wrong = clients.filter(({ number, room, heard }) => {
    const others = speakers.filter(
      (other) => other.room === room && other.number !== number
    );
    const sorted = heard.toSorted(
      (a, b) => Number.parseInt(a) - Number.parseInt(b)
    );

    return (
      sorted.join() !== others.flatMap((other) => linesOf(other.number)).join()
    );
  });

  expect(wrong.map(({ number, heard }) => [number, heard])).toEqual([]);
  expect(clients.every(({ fences }) => fences === PROCESSES)).toBe(true);
});
