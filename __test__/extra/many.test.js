'use strict';

const { spawn } = require('child_process');
const { once } = require('events');
const path = require('path');
const { Worker } = require('worker_threads');

const { Topics, broadcast, waitForDrain } = require('../../lib/extra');
const { oxws, ws } = require('../support/implementations');
const Random = require('../support/random');
const { root } = require('../support/child');
const { onRelease } = require('../support/resources');
const { serve, allArrived } = require('./support/audience');
const { onceClosed } = require('./support/connections');

/** More than are sent to in the call. */
const MANY = 20;

/** Checks that what a client got is, in order, all it was to get. */
function expectAll(clients, expected) {
  clients.forEach(({ received }, index) => {
    expect(received).toEqual(expected[index]);
  });
}

test('what is done in between comes behind what was sent before', async () => {
  const { servers, clients } = await serve('native', MANY);
  const random = new Random(1);
  const topics = new Topics();
  const expected = servers.map(() => []);
  const long = 'long '.repeat(20_000);

  for (const server of servers) topics.subscribe(server, 'a');
  for (let step = 0; step < 400; step++) {
    const index = random.below(MANY);
    const server = servers[index];
    const text = `${step} ${random.below(20) === 0 ? long : ''}`;
    const except = servers[(index + 1) % MANY];

    switch (random.below(9)) {
      case 0:
        server.send(text);
        expected[index].push(`t${text}`);
        break;
      case 1:
        server.ping();
        expect(server.bufferedAmount).toBeGreaterThanOrEqual(0);
        break;
      case 2:
        server.pause();
        break;
      case 3:
        server.resume();
        break;
      case 4:
        if (random.below(4) === 0) await new Promise(setImmediate);
        break;
      case 5:
        expect(broadcast(servers, text, { except })).toBe(MANY - 1);
        expected.forEach((list, at) => {
          if (servers[at] !== except) list.push(`t${text}`);
        });
        break;
      default:
        expect(topics.publish('a', text)).toBe(MANY);
        for (const list of expected) list.push(`t${text}`);
    }
  }
  for (const server of servers) server.resume();
  await allArrived(servers, clients);
  expectAll(clients, expected);
});

test('who closes gets what was sent before, and its close frame', async () => {
  const { servers, clients } = await serve('native', MANY);
  const topics = new Topics();
  const closed = clients.map((client) => once(client, 'close'));

  for (const server of servers) topics.subscribe(server, 'a');
  for (let index = 0; index < MANY; index++) {
    topics.publish('a', `${index}`);
    broadcast(servers, `b${index}`);
    servers[index].close(4000 + index);
  }

  const codes = (await Promise.all(closed)).map(([code]) => code);

  expect(codes).toEqual(clients.map((_, index) => 4000 + index));
  clients.forEach(({ received }, index) => {
    const all = Array.from({ length: index + 1 }, (_, i) => [
      `t${i}`,
      `tb${i}`
    ]);

    expect(received).toEqual(all.flat());
  });
});

test('who is terminated keeps nobody from getting all', async () => {
  const { servers, clients } = await serve('native', MANY);
  const topics = new Topics();

  for (const server of servers) topics.subscribe(server, 'a');
  for (let index = 0; index < MANY / 2; index++) {
    topics.publish('a', `${index}`);
    servers[index].terminate();
    clients[MANY - 1 - index].on('error', () => {});
  }
  expect(topics.size('a')).toBe(MANY / 2);

  const left = clients.slice(MANY / 2);

  await allArrived(servers.slice(MANY / 2), left);

  const all = Array.from({ length: MANY / 2 }, (_, index) => `t${index}`);

  for (const { received } of left) expect(received).toEqual(all);
});

test('waitForDrain() waits for what is on its way', async () => {
  const { servers, clients } = await serve('native', MANY);
  const topics = new Topics();
  const chunk = Buffer.alloc(1 << 20);
  let bytes = 0;

  for (const server of servers) topics.subscribe(server, 'a');
  for (const client of clients) client.removeAllListeners('message');
  clients[0].on('message', ({ length }) => (bytes += length));
  clients[0].pause();
  for (let count = 0; count < 10; count++) topics.publish('a', chunk);
  expect(servers[0].bufferedAmount).toBeGreaterThan(0);

  const drained = waitForDrain(servers[0]);

  clients[0].resume();
  await drained;
  await allArrived(servers, clients);
  expect(bytes).toBe(10 << 20);
});

test('a stalled reader holds nobody up, and costs one copy', async () => {
  const { servers, clients } = await serve('native', MANY);
  const topics = new Topics({ maxBuffered: 4 << 20, onSlow: 'terminate' });
  const chunk = Buffer.alloc(1 << 20, 'x');
  const stalled = clients.slice(0, 2);
  const lengths = [];
  let counts;

  for (const server of servers) topics.subscribe(server, 'a');
  for (const client of clients) {
    client.removeAllListeners('message');
    client.on('message', ({ length }) => lengths.push(length));
  }
  for (const client of stalled) client.pause();
  for (let count = 0; count < 20; count++) {
    counts = topics.publish('a', chunk);
    await allArrived(servers.slice(2), clients.slice(2));
  }
  expect(counts).toBe(MANY - 2);
  expect(topics.size('a')).toBe(MANY - 2);
  expect(lengths).toEqual(Array(20 * (MANY - 2)).fill(chunk.length));
  for (const client of stalled) client.resume();
});

const SERVER = `
  const { WebSocketServer } = require(${JSON.stringify(root)});
  const { Topics } = require(${JSON.stringify(path.join(root, 'lib/extra'))});
  const topics = new Topics();
  const wss = new WebSocketServer({
    host: '127.0.0.1',
    perMessageDeflate: true,
    port: 0
  });
`;

test('what was published before process.exit() arrives', async () => {
  const server = spawn(
    process.execPath,
    [
      '-e',
      `${SERVER}
       wss.on('listening', () => console.log(wss.address().port));
       wss.on('connection', (ws) => {
         ws.on('message', () => {
           topics.subscribe(ws, 'a');
           if (topics.size('a') < ${MANY}) return;
           for (let i = 0; i < 10; i++) topics.publish('a', 'x'.repeat(1000));
           topics.publish('a', 'x'.repeat(100000));
           process.exit();
         });
       });`
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  );

  onRelease(() => server.kill('SIGKILL'));

  const [port] = await once(server.stdout, 'data');
  const received = await Promise.all(
    Array.from({ length: MANY }, async () => {
      const client = new ws(`ws://127.0.0.1:${Number(port)}`);
      let bytes = 0;

      client.on('open', () => client.send('ready'));
      client.on('message', ({ length }) => (bytes += length));
      await onceClosed(client);
      return bytes;
    })
  );

  expect(received).toEqual(Array(MANY).fill(110_000));
});

test('a worker is terminated while it publishes', async () => {
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(
      `${SERVER}
       const { parentPort } = require('worker_threads');
       wss.on('listening', () => parentPort.postMessage(wss.address().port));
       wss.on('connection', (ws) => {
         topics.subscribe(ws, 'a');
         if (topics.size('a') < ${MANY}) return;
         parentPort.postMessage('publishing');
         setInterval(() => {
           for (let i = 0; i < 100; i++) topics.publish('a', 'x'.repeat(5000));
         });
       });`,
      { eval: true }
    );
    const [port] = await once(worker, 'message');
    const clients = Array.from(
      { length: MANY },
      () => new oxws(`ws://127.0.0.1:${port}`)
    );
    const closed = clients.map((client) => once(client, 'close'));

    for (const client of clients) client.on('error', () => {});
    await once(clients[round], 'message');
    await worker.terminate();
    await Promise.all(closed);
  }
});
