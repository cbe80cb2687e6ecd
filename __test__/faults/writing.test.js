'use strict';

const { errno } = require('os').constants;

const { linesOf, ownDrivers } = require('../support/drivers');
const { failingCalls } = require('../support/failing-calls');
const { describeEach } = require('../support/implementations');

const isLinux = process.platform === 'linux';

/**
 * What becomes of a connection on which one side cannot write any more, a line
 * for each way to find it out: the events of both sides. In the end all
 * descriptors are back and a good client is served.
 */
async function conversations(WebSocket, route, side, numbers) {
  globalThis.afterEach = () => {};

  const { once } = require('events');
  const fs = require('fs');
  const { routes } = require('./__test__/support/routes');
  const { createServer, clientOptions, scheme } = routes[route];
  const httpServer = createServer();
  const wss = httpServer
    ? new WebSocket.Server({ server: httpServer })
    : new WebSocket.Server({ port: 0, host: '127.0.0.1' });
  // Enough for a connection whose peer does not read.
  const FULL = 8 << 20;
  let heard = {};

  function listen(name, websocket) {
    const hear = (event) => heard[name].push(event);

    websocket.on('open', () => hear('open'));
    websocket.on('message', (data) => {
      if (data.length < FULL) hear(`message ${data.length}`);
    });
    websocket.on('ping', () => hear('ping'));
    websocket.on('error', (err) => hear(`error ${err.message}`));
    websocket.on('close', (code) => hear(`close ${code}`));
  }

  if (httpServer) httpServer.listen(0, '127.0.0.1');
  wss.on('connection', (server) => {
    heard.server.push('connection');
    listen('server', server);
  });
  if (!wss.address()) await once(wss, 'listening');

  const { port } = wss.address();
  const ports = side === 'server' ? `${port} 0` : `0 ${port}`;
  const dial = () => {
    const client = new WebSocket(
      `${scheme}://127.0.0.1:${port}`,
      clientOptions()
    );

    heard = { server: [], client: [] };
    listen('client', client);
    return client;
  };
  const connect = async () => {
    const connected = once(wss, 'connection');
    const client = dial();

    await once(client, 'open');
    return { client, server: (await connected)[0] };
  };
  const fail = () => {
    process.env.FAILING_CALL = `write ${numbers[0]} ${ports}`;
  };
  const told = (what) => (err) => {
    heard[side].push(`${what} ${err ? err.message : 'sent'}`);
  };

  /** Good in every respect. */
  async function converse() {
    const { client, server } = await connect();
    const closed = once(server, 'close');

    client.send('x');
    await once(server, 'message');
    client.close(1000);
    await Promise.all([closed, once(client, 'close')]);
  }

  const ways = {
    send: (ours) => ours.send('x', told('send')),
    sends(ours) {
      for (const text of ['1', '2', '3']) ours.send(text, told(text));
    },
    large(ours) {
      for (const size of [100000, 1]) {
        ours.send(Buffer.alloc(size), told(`${size}`));
      }
    },
    queued(ours, theirs) {
      const bytes = Buffer.alloc(FULL);

      theirs.pause();
      process.env.FAILING_CALL = '';
      // The I/O thread may still read one or two for the other side.
      while (ours.bufferedAmount <= FULL) ours.send(bytes);
      for (const text of ['1', '2']) ours.send(text, told(text));
      fail();
      theirs.resume();
    },
    ping: (ours) => ours.ping('x', undefined, told('ping')),
    pong: (ours, theirs) => theirs.ping('x'),
    close: (ours) => ours.close(1000),
    answer: (ours, theirs) => theirs.close(1000)
  };

  await converse();
  // The first stream of a process opens a descriptor for ever.
  console.log('start');

  const descriptors = () => fs.readdirSync('/proc/self/fd').length;
  const before = descriptors();

  for (; numbers.length > 0; numbers.shift()) {
    // Node does not hear of a write that fails in the middle of a TLS handshake.
    if (scheme === 'ws') {
      fail();

      const client = dial();

      await new Promise((resolve) => client.on('close', resolve));
      while (wss.clients.size > 0) await new Promise(setImmediate);
      console.log('connecting', JSON.stringify(heard));
    }

    for (const [name, way] of Object.entries(ways)) {
      process.env.FAILING_CALL = '';

      const { client, server } = await connect();
      const closed = [once(client, 'close'), once(server, 'close')];

      fail();
      if (side === 'server') way(server, client);
      else way(client, server);
      await Promise.all(closed);
      console.log(name, JSON.stringify(heard));
    }
  }

  process.env.FAILING_CALL = '';
  await converse();
  // Never ends when descriptors stay open.
  while (descriptors() > before) await new Promise(setImmediate);
  console.log('good');
  process.exit();
}

/**
 * Node.js 26 cancels what waits behind a write that fails, over TLS. With oxws
 * it was part of that write.
 */
function asOneWrite(line) {
  const [failure] = /write E\w+/.exec(line) || [];

  return line.replaceAll(/write ECANCELED [\w ]+/g, failure);
}

/** What ws does, by the arguments. */
const known = new Map();

describeEach(isLinux ? ownDrivers : [], 'a socket', (driver) => {
  const preloaded = failingCalls();
  const run = ({ library, env }, args) =>
    linesOf({ library, env: { ...env, ...preloaded } }, conversations, {
      args
    });
  const rows = ['native', 'adopted', 'TLS'].flatMap((route) =>
    ['server', 'client'].map((side) => [route, side])
  );

  test.each(rows)(
    'that cannot be written to any more, %s, %s, ends as with ws',
    async (...row) => {
      const args = [...row, [errno.EPIPE, errno.ECONNRESET, errno.ENOSPC]];
      const key = row.join();

      if (!known.has(key)) known.set(key, await run({ library: 'ws' }, args));

      const lines = await run(driver, args);
      const theirs = known.get(key).map(asOneWrite);
      // Over TLS Node tells of some sends that they have left all the same.
      const isTrue = (_, index) => !theirs[index].includes(' sent"');

      expect(lines.filter(isTrue)).toEqual(theirs.filter(isTrue));
      expect(lines).toHaveLength(theirs.length);
      expect(lines.join()).not.toContain(' sent"');
      expect(lines.at(-1)).toBe('good');
    }
  );
});
