'use strict';

const { spawn, spawnSync } = require('child_process');
const { createHash } = require('crypto');
const { once } = require('events');
const fs = require('fs');
const https = require('https');
const path = require('path');
const tls = require('tls');

const { kConnection } = require('../../lib/constants');
const { canAdopt, oxws, ws } = require('../support/implementations');
const {
  doNotAdopt,
  onRelease,
  trackServer,
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { certificate, key } = require('../support/routes');
const { KEY, OPCODE, frame, upgradeRequest } = require('../support/wire');

const keys = {
  ECDSA: { key, cert: certificate },
  RSA: {
    key: fs.readFileSync(path.join(__dirname, 'tls', 'rsa.key')),
    cert: fs.readFileSync(path.join(__dirname, 'tls', 'rsa.crt'))
  }
};

const hasOpenSsl = spawnSync('openssl', ['version']).status === 0;

const rows = [
  { name: 'ws', lib: ws, route: null },
  { name: 'oxws', lib: oxws, route: canAdopt ? 'engine, TLS' : 'stream' },
  { name: 'oxws, not adopted', lib: oxws, route: 'stream' }
];

/** An echo server behind https, and its port. */
async function serve({ name, lib }, options, wssOptions) {
  if (name.endsWith('not adopted')) doNotAdopt();

  const server = trackServer(https.createServer({ ...keys.ECDSA, ...options }));
  const wss = trackWebSocketServer(
    new lib.WebSocketServer({ server, ...wssOptions })
  );

  wss.on('connection', (websocket) => {
    websocket.on('message', (data, isBinary) => {
      websocket.send(data, { binary: isBinary });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return { wss, port: server.address().port };
}

async function dial({ lib }, port, options) {
  const client = trackWebSocket(
    new lib.WebSocket(`wss://127.0.0.1:${port}`, {
      rejectUnauthorized: false,
      perMessageDeflate: false,
      ...options
    })
  );

  await once(client, 'open');

  return client;
}

/** A raw client past the handshake. */
async function dialRaw(port) {
  const socket = trackSocket(
    tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  );

  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  socket.write(upgradeRequest());
  await once(socket, 'data');

  return socket;
}

function digest(data) {
  return `${data.length} ${createHash('sha1').update(data).digest('hex')}`;
}

/** Bytes that are no repetition of what fits into a record. */
function bytes(length, seed = 1) {
  const data = Buffer.allocUnsafe(length);

  for (let i = 0; i < length; i++) {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    data[i] = seed >>> 16;
  }

  return data;
}

/** Sends all, and compares what comes back. */
async function echo(client, list) {
  const received = [];
  const all = new Promise((resolve) => {
    client.on('message', function onMessage(data) {
      received.push(digest(data));
      if (received.length < list.length) return;
      client.removeListener('message', onMessage);
      resolve();
    });
  });

  for (const data of list) client.send(data);
  await all;
  expect(received).toEqual(list.map(digest));
}

// Around a record, around what is read at once, and beyond.
const LENGTHS = [
  0, 1, 125, 126, 16383, 16384, 16385, 32768, 65521, 65535, 65536, 65550, 200001
];

describe.each(rows)('TLS traffic ($name)', (row) => {
  const { route } = row;

  test.each(
    Object.keys(keys).flatMap((kind) =>
      ['TLSv1.2', 'TLSv1.3'].map((version) => [kind, version])
    )
  )('comes back as it was: %s, %s', async (kind, version) => {
    const { wss, port } = await serve(row, {
      ...keys[kind],
      maxVersion: version
    });
    const connected = once(wss, 'connection');
    const client = await dial(row, port);
    const [server] = await connected;

    if (route !== null) {
      expect(client[kConnection].route).toBe(route);
      expect(server[kConnection].route).toBe(route);
    }
    expect(server._socket.getProtocol()).toBe(version);
    await echo(client, LENGTHS.map(bytes));
    await echo(client, [bytes(3 << 20)]);
    expect(client._socket.bytesRead).toBe(server._socket.bytesWritten);
    expect(client._socket.bytesWritten).toBe(server._socket.bytesRead);
  });

  test('comes right behind the handshake', async () => {
    const { wss, port } = await serve(row);
    const data = bytes(3 << 20);
    const fromServer = new Promise((resolve) => {
      wss.on('connection', (websocket) => {
        websocket.send(data);
        websocket.on('message', resolve);
      });
    });
    const client = trackWebSocket(
      new row.lib.WebSocket(`wss://127.0.0.1:${port}`, {
        rejectUnauthorized: false
      })
    );
    const [received] = await once(client, 'message');

    expect(digest(received)).toBe(digest(data));

    const socket = trackSocket(
      tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    );

    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.resume();
    socket.write(
      Buffer.concat([
        Buffer.from(upgradeRequest()),
        frame({ opcode: OPCODE.binary, payload: data, key: KEY })
      ])
    );
    expect(digest(await fromServer)).toBe(digest(data));
  });

  test('is compressed', async () => {
    const { port } = await serve(row, {}, { perMessageDeflate: true });
    const client = await dial(row, port, { perMessageDeflate: true });

    expect(client.extensions).toBe('permessage-deflate');
    await echo(client, [
      ...LENGTHS.map(bytes),
      Buffer.alloc(2 << 20, 'abcdefg'),
      bytes(1 << 20)
    ]);
  });

  test('comes a byte a record', async () => {
    const { port } = await serve(row);
    const socket = await dialRaw(port);
    const payloads = ['first', 'x'.repeat(43)];
    const expected = Buffer.concat(
      payloads.map((payload) => frame({ opcode: OPCODE.text, payload }))
    );
    const chunks = [];
    const all = new Promise((resolve) => {
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        if (Buffer.concat(chunks).length === expected.length) resolve();
      });
    });

    for (const payload of payloads) {
      const message = frame({ opcode: OPCODE.text, payload, key: KEY });

      for (const byte of message) socket.write(Buffer.from([byte]));
    }
    await all;
    expect(Buffer.concat(chunks)).toEqual(expected);
  });

  test('waits for a slow reader, and loses nothing', async () => {
    const { wss, port } = await serve(row);
    const connected = once(wss, 'connection');
    const client = await dial(row, port);
    const [server] = await connected;
    const sent = Array.from({ length: 300 }, (_, i) => bytes(60000, i + 1));
    const received = [];
    const called = [];
    const all = new Promise((resolve) => {
      client.on('message', (data) => {
        received.push(digest(data));
        if (received.length === sent.length) resolve();
      });
    });

    client.pause();
    sent.forEach((data, i) => {
      server.send(data, (err) => called.push(err ?? i));
    });
    server.ping();
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.bufferedAmount).toBeGreaterThan(1 << 20);
    expect(called.length).toBeLessThan(sent.length);
    client.resume();
    await all;
    expect(received).toEqual(sent.map(digest));
    expect(called).toEqual(sent.map((_, i) => i));
    expect(server.bufferedAmount).toBe(0);
  });

  test('stops when it is paused, and goes on', async () => {
    const { port } = await serve(row);
    const client = await dial(row, port);
    const list = Array.from({ length: 60 }, (_, i) => bytes(9000, i + 1));
    const received = [];
    const all = new Promise((resolve) => {
      client.on('message', (data) => {
        received.push(digest(data));
        if (received.length === list.length) resolve();
        if (received.length % 7 === 0) {
          client.pause();
          setImmediate(() => client.resume());
        }
      });
    });

    for (const data of list) client.send(data);
    await all;
    expect(received).toEqual(list.map(digest));
  });

  test('goes on a resumed session of an https.Agent', async () => {
    const { port } = await serve(row);
    const agent = new https.Agent({ rejectUnauthorized: false });
    const reused = [];

    for (let i = 0; i < 3; i++) {
      const client = await dial(row, port, { agent });

      if (route !== null) expect(client[kConnection].route).toBe(route);
      reused.push(client._socket.isSessionReused());
      await echo(client, [bytes(100)]);
      client.close();
      await once(client, 'close');
    }
    expect(reused).toEqual([false, true, true]);
  });

  test('has an answer to a handshake while it is corked', async () => {
    const { wss, port } = await serve(row);
    const connected = once(wss, 'connection');
    const socket = trackSocket(
      tls.connect({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        maxVersion: 'TLSv1.2'
      })
    );

    await once(socket, 'secureConnect');
    socket.write(upgradeRequest());

    const [[server]] = await Promise.all([connected, once(socket, 'data')]);

    server._socket.cork();
    // That of oxws is that it takes part in none.
    await new Promise((resolve) => {
      socket.on('error', resolve);
      socket.renegotiate({}, resolve);
    });
  });

  (hasOpenSsl ? test : test.skip)('goes on with other keys', async () => {
    const { wss, port } = await serve(row);
    const connected = once(wss, 'connection');
    const client = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-tls1_3'
    ]);
    let output = '';
    let onOutput = () => {};
    const until = (text) =>
      new Promise((resolve) => {
        onOutput = () => {
          if (output.includes(text)) resolve();
        };
        onOutput();
      });

    onRelease(() => client.kill());
    client.stdin.on('error', () => {});
    for (const stream of [client.stdout, client.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk.toString('latin1');
        onOutput();
      });
    }
    client.stdin.write(upgradeRequest());

    const [server] = await connected;
    const message = (payload) =>
      frame({ opcode: OPCODE.text, payload, key: KEY });

    for (const [command, payload] of [
      ['k\n', 'behind a new key of the client'],
      ['K\n', 'behind new keys of both'],
      ['K\n', 'and again']
    ]) {
      const arrival = once(server, 'message');

      client.stdin.write(command);
      // It takes for a command what it reads by itself.
      await until('KEYUPDATE');
      output = '';
      client.stdin.write(message(payload));
      expect(String((await arrival)[0])).toBe(payload);
      await until(payload);
      output = '';
    }
  });
});
