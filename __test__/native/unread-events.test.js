'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const { linesOf, ownDrivers, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { serverOf } = require('../support/mailbox');
const { rawClient } = require('../support/raw');
const { routes } = require('../support/routes');
const { until } = require('../support/waiting');
const { KEY, OPCODE, closePayload, frame } = require('../support/wire');

/** Together more than the I/O thread reads for a busy JavaScript thread. */
const PEERS = 40;
const FLOOD = Buffer.concat(
  Array(20).fill(
    frame({ opcode: OPCODE.binary, payload: Buffer.alloc(32768), key: KEY })
  )
);

/** So often the peers look whether anything more was taken of them. */
const QUIET = 20;

const DEFLATE = {
  'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits'
};

let directory;

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-'));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

/**
 * A server whose first message has it wait for the file `flooded`, then send to
 * all, and work until there is the file `heard`.
 */
function main(WebSocket, { route, how, mailbox, flooded, heard, peers }) {
  const fs = require('fs');
  const net = require('net');

  globalThis.afterEach = () => {};

  const { routes } = require('./__test__/support/routes');
  const server = routes[route].createServer();
  const wss = new WebSocket.Server({
    ...(server === null ? { port: 0, host: '127.0.0.1' } : { server }),
    perMessageDeflate: how === 'compressed' ? { threshold: 0 } : false
  });
  const workUntil = (file) => {
    const end = Date.now() + 20000;

    while (!fs.existsSync(file) && Date.now() < end);
    return Date.now() < end;
  };
  const work = () => {
    console.log(workUntil(heard));
    process.exit();
  };

  let isFirst = true;

  wss.on('connection', (websocket) => {
    if (wss.clients.size === peers) {
      for (const client of wss.clients) client.send('begin');
    }
    websocket.on('message', () => {
      if (!isFirst) return;

      isFirst = false;
      console.log(workUntil(flooded));
      for (const client of wss.clients) {
        if (how === 'closed') client.close(4000);
        else client.send('answer');
      }
      if (how === 'sent before another round') setImmediate(work);
      else work();
    });
  });
  wss.on('listening', () => {
    net.connect(mailbox, '127.0.0.1').end(String(wss.address().port));
  });
  if (server !== null) server.listen(0, '127.0.0.1');
}

/** Waits until nothing more is taken of what these peers have written. */
async function untilStalled(peers) {
  let last = -1;
  let quiet = 0;

  await until(() => {
    const left = peers.reduce((sum, it) => sum + it.socket.writableLength, 0);

    quiet = left === last ? quiet + 1 : 0;
    last = left;
    return quiet === QUIET;
  });
}

/** Resolves the frame that each peer of such a server on this route gets. */
async function framesOf(driver, route, how) {
  const mark = path.join(directory, `${driver.name} ${route} ${how}`);
  const [flooded, heard] = [`${mark} flooded`, `${mark} heard`];
  const { lines, port } = await serverOf((mailbox) =>
    linesOf(driver, main, {
      args: [{ route, how, mailbox, flooded, heard, peers: PEERS }]
    })
  );
  const headers = how === 'compressed' ? DEFLATE : {};
  const peers = await Promise.all(
    Array.from({ length: PEERS }, () => rawClient(port, { route, headers }))
  );

  for (const peer of peers) await peer.frame();
  for (const peer of peers) peer.write(FLOOD);
  await untilStalled(peers);
  fs.writeFileSync(flooded, '');

  const frames = await Promise.all(peers.map((peer) => peer.frame()));

  fs.writeFileSync(heard, '');
  expect(await lines).toEqual(['true', 'true']);
  return frames;
}

describeEach(wsAndDrivers, 'what a listener sends and works on', (driver) => {
  describe.each(Object.keys(routes))('on the route: %s', (route) => {
    test.each([
      ['sent', OPCODE.text, Buffer.from('answer')],
      ['sent before another round', OPCODE.text, Buffer.from('answer')],
      ['closed', OPCODE.close, closePayload(4000)]
    ])(
      'leaves though no more is read for it: %s',
      async (how, opcode, payload) => {
        for (const frame of await framesOf(driver, route, how)) {
          expect(frame).toMatchObject({ opcode, payload });
        }
      }
    );
  });
});

describeEach(
  ownDrivers,
  'what a listener compresses and works on',
  (driver) => {
    test('leaves though no more is read for it', async () => {
      for (const frame of await framesOf(driver, 'native', 'compressed')) {
        expect(frame).toMatchObject({ opcode: OPCODE.text, rsv: 4 });
      }
    });
  }
);
