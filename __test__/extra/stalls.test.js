'use strict';

const { spawn } = require('child_process');
const { once } = require('events');
const path = require('path');
const readline = require('readline');

const { Topics, broadcast } = require('../../lib/extra');
const { paths, root } = require('../support/child');
const { describeEach, ws } = require('../support/implementations');
const { onRelease, trackWebSocket } = require('../support/resources');
const { ownDrivers } = require('../support/drivers');
const { serve, allArrived } = require('./support/audience');

const MIB = 1 << 20;

/** How long JavaScript stands still, in milliseconds. */
const BLOCKED = Number(process.env.OXWS_TEST_BLOCKED ?? 1500);

/**
 * A process that runs a function, and what it prints.
 *
 * @returns {{ child, next: () => Promise<string> }} `next()` is the next line
 */
function start(main, args, env = {}) {
  const child = spawn(
    process.execPath,
    ['-e', `(${main})(${args.map((arg) => JSON.stringify(arg)).join(', ')})`],
    {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit']
    }
  );
  const reader = readline.createInterface({ input: child.stdout });
  const lines = reader[Symbol.asyncIterator]();

  onRelease(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { child, next: async () => (await lines.next()).value };
}

/** Connects, and tells of the numbers that it was sent once it is closed. */
function readNumbers(library, url) {
  const WebSocket = require(library);
  const client = new WebSocket(url);
  const numbers = [];

  client.on('message', (data) => numbers.push(data.readUInt32LE()));
  client.on('error', () => {});
  client.on('close', () => console.log(JSON.stringify(numbers)));
  client.on('open', () => console.log('open'));
}

const ways = [
  {
    name: 'broadcast()',
    create: (servers, options) => (data) => broadcast(servers, data, options)
  },
  {
    name: 'Topics',
    create(servers, options) {
      const topics = new Topics(options);

      for (const server of servers) topics.subscribe(server, 'a');
      return (data) => topics.publish('a', data);
    }
  }
];

const sizes = [2, 20];

test.each(ways.flatMap((way) => sizes.map((others) => ({ ...way, others }))))(
  'a process that is stopped holds up none of $others others ($name)',
  async ({ create, others }) => {
    const { wss, servers, clients } = await serve('native', others);
    const url = `ws://127.0.0.1:${wss.address().port}`;
    const accepted = once(wss, 'connection');
    const { child, next } = start(readNumbers, [paths.ws, url]);
    const [stopped] = await accepted;
    const told = [];
    const send = create([...servers, stopped], {
      maxBuffered: MIB,
      onSlow: (websocket) => told.push(websocket)
    });
    const queued = [];
    const data = Buffer.alloc(MIB / 8);
    let number = 0;

    expect(await next()).toBe('open');
    child.kill('SIGSTOP');
    // The kernel takes some MiB for it.
    while (told.length < 3) {
      data.writeUInt32LE(number);
      if (send(data) === others + 1) queued.push(number);
      number++;
      await allArrived(servers, clients);
      expect(stopped.bufferedAmount).toBeLessThanOrEqual(MIB + data.length + 8);
    }
    expect(new Set(told)).toEqual(new Set([stopped]));
    for (const client of clients) {
      const received = client.received.map((text) =>
        Buffer.from(text.slice(1, 5), 'latin1').readUInt32LE()
      );

      expect(received).toEqual(Array.from({ length: number }, (_, i) => i));
    }

    child.kill('SIGCONT');
    stopped.close();

    const received = JSON.parse(await next());

    // Another thread may have found it slow after it was counted.
    expect(queued.slice(0, received.length)).toEqual(received);
    expect(queued.length - received.length).toBeLessThanOrEqual(1);
  }
);

/**
 * A server that publishes once it has enough clients, and whose JavaScript then
 * stands still until somebody writes to it.
 */
function publishAndBlock(library, extra, clients) {
  const fs = require('fs');
  const { WebSocketServer } = require(library);
  const { Topics, keepAlive } = require(extra);
  const topics = new Topics();
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  let closed = 0;

  keepAlive(wss, { pingInterval: 200, pingTimeout: 200 });
  wss.on('listening', () => console.log(wss.address().port));
  wss.on('connection', (ws) => {
    topics.subscribe(ws, 'a');
    ws.on('message', (data) => ws.send(data));
    ws.on('close', () => closed++);
    if (topics.size('a') < clients) return;
    setTimeout(() => {
      for (let i = 0; i < 50; i++) topics.publish('a', `${i}`);
      fs.readSync(0, Buffer.alloc(1));
      setTimeout(() => {
        console.log(closed);
        process.exit();
      }, 1000);
    }, 100);
  });
}

describeEach(ownDrivers, 'while JavaScript stands still', ({ env }) => {
  test(
    'what was published arrives, and nobody is given up afterwards',
    async () => {
      const count = 20;
      const { child, next } = start(
        publishAndBlock,
        [root, path.join(root, 'lib/extra'), count],
        env
      );
      const url = `ws://127.0.0.1:${await next()}`;
      const all = await Promise.all(
        Array.from({ length: count }, async () => {
          const client = trackWebSocket(new ws(url));
          const received = [];

          client.on('error', () => {});
          await new Promise((resolve) => {
            client.on('message', (data) => {
              if (received.push(String(data)) === 50) resolve();
            });
          });
          return { client, received };
        })
      );
      const expected = Array.from({ length: 50 }, (_, i) => `${i}`);

      for (const { client, received } of all) {
        expect(received).toEqual(expected);
        client.send('meanwhile');
      }
      await new Promise((resolve) => setTimeout(resolve, BLOCKED));
      for (const { received } of all) expect(received).toHaveLength(50);

      const answers = all.map(({ client }) => once(client, 'message'));

      child.stdin.write('\n');
      for (const [data] of await Promise.all(answers)) {
        expect(String(data)).toBe('meanwhile');
      }
      expect(await next()).toBe('0');
    },
    BLOCKED + 20_000
  );
});
