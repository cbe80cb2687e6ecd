'use strict';

/**
 * What ws and oxws hold of connections that do little: `node bench/memory.js`.
 * Each figure comes from a server process of its own; the peers are here.
 */
const net = require('net');
const path = require('path');

const { withChild } = require('./child');

const KIB = 1024;
const MIB = 1024 * KIB;

const root = path.join(__dirname, '..');
const peers = [
  { name: 'ws', module: require.resolve('ws') },
  { name: 'oxws-inline', module: root, env: { OXWS_DRIVER: 'inline' } },
  { name: 'oxws-thread', module: root, env: { OXWS_DRIVER: 'thread' } }
];

/** A masked frame, with a key of zeros. */
function frame(first, payload) {
  const header =
    payload.length < 126
      ? [first, 0x80 | payload.length]
      : [first, 0xfe, payload.length >> 8, payload.length & 0xff];

  return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

/** A socket past its handshake. */
function connect(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');

    socket.on('error', reject);
    socket.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n' +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n'
    );
    socket.once('data', () => resolve(socket));
  });
}

async function connectAll(port, count) {
  const sockets = [];

  while (sockets.length < count) sockets.push(await connect(port));

  return sockets;
}

/** Writes to all sockets, and waits until each has heard something. */
function converse(sockets, bytes) {
  return Promise.all(
    sockets.map((socket) => {
      socket.write(bytes);

      return new Promise((resolve) => socket.once('data', resolve));
    })
  );
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const memory = async (server) => Number(await server.ask('memory'));

/** Grows a server by `count` connections that `work` is done with. */
async function grow(server, port, count, work) {
  // What is made once is not counted.
  await work(await connectAll(port, 20));

  const before = await memory(server);

  await work(await connectAll(port, count));

  return ((await memory(server)) - before) / count;
}

const rows = [
  {
    title: 'idle connection',
    unit: KIB,
    run: (server, port) => grow(server, port, 1000, () => {})
  },
  {
    title: 'idle connection after a burst of 100 messages of 1 KiB',
    unit: KIB,
    run: (server, port) =>
      grow(server, port, 1000, async (sockets) => {
        const message = frame(0x82, Buffer.alloc(KIB));
        const burst = Buffer.concat(Array(100).fill(message));

        while (sockets.length > 0) {
          await converse(sockets.splice(-20), burst);
          await wait(20);
        }
      })
  },
  {
    title: 'connection with permessage-deflate, not used',
    unit: KIB,
    deflate: true,
    run: (server, port) => grow(server, port, 500, () => {})
  },
  {
    title: 'connection with permessage-deflate, after a message each way',
    unit: KIB,
    deflate: true,
    run: (server, port) =>
      grow(server, port, 300, async (sockets) => {
        // "Hello", compressed.
        const hello = Buffer.from('f248cdc9c90700', 'hex');

        await converse(sockets, frame(0xc1, hello));
      })
  },
  {
    title: '1000 kept messages of 20 bytes, among 500 others each',
    unit: MIB,
    keeps: true,
    async run(server, port) {
      const sockets = await connectAll(port, 1);
      const others = Array(500).fill(frame(0x82, Buffer.alloc(100)));
      const receive = async (length) => {
        const first = frame(0x82, Buffer.alloc(length));

        for (let index = 0; index < 1000; index++) {
          await converse(sockets, Buffer.concat([first, ...others]));
        }
      };

      // What the traffic itself leaves is not counted: those are not kept.
      await receive(21);

      const before = await memory(server);

      await receive(20);

      return (await memory(server)) - before;
    }
  },
  {
    title: 'connection with 16 000 held fragments of a byte',
    unit: MIB,
    run: (server, port) =>
      grow(server, port, 50, async (sockets) => {
        const fragment = frame(0x00, Buffer.alloc(1));
        const fragments = Buffer.concat(Array(15999).fill(fragment));

        for (const socket of sockets) {
          socket.write(frame(0x02, Buffer.alloc(1)));
          socket.write(fragments);
        }
        await converse(sockets, frame(0x89, Buffer.alloc(0)));
      })
  },
  {
    title: 'after a reader that left 1 GiB unread is terminated',
    unit: MIB,
    async run(server, port) {
      const before = await memory(server);
      const [socket] = await connectAll(port, 1);

      socket.pause();
      socket.on('error', () => {});

      const buffered = Number(await server.ask('flood 1024'));

      if (buffered < 1000 * MIB) throw new Error(`${buffered} were buffered`);

      await server.ask('terminate');

      return (await memory(server)) - before;
    }
  }
];

async function main() {
  const cells = [['', ...peers.map(({ name }) => name)]];

  cells.push(cells[0].map((_, index) => (index ? '--:' : '---')));
  for (const { title, unit, deflate = false, keeps, run } of rows) {
    const line = [`${title}, ${unit === KIB ? 'KiB' : 'MiB'}`];

    for (const { module, env } of peers) {
      const command = {
        file: process.execPath,
        args: [
          '--expose-gc',
          path.join(__dirname, 'servers', 'memory.js'),
          JSON.stringify({ module, deflate, keeps })
        ],
        env
      };
      const bytes = await withChild(command, async (server) =>
        run(server, Number(await server.line()))
      );

      line.push((bytes / unit).toFixed(2));
    }
    cells.push(line);
  }
  console.log(cells.map((line) => `| ${line.join(' | ')} |`).join('\n'));
  process.exit();
}

main().catch((err) => {
  console.error(err.message);
  process.exit(1);
});
