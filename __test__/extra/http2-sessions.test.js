'use strict';

// What WebSockets that share a session of HTTP/2 do to each other. The peer is
// raw: its stream.

const { once } = require('events');

const { keepAlive, sendAsync, waitForDrain } = require('../../lib/extra');
const { turns } = require('../routes/support/matrix');
const { onRelease } = require('../support/resources');
const { OPCODE, KEY, frame } = require('../support/wire');
const { openRaw, openStream, serve } = require('./support/http2');

const CANCEL = 8;

describe('flow control', () => {
  test('a paused WebSocket holds up its own stream alone', async () => {
    const { wss, websocket, stream, session } = await openRaw();
    const accepted = once(wss, 'connection');
    const other = await openStream(session);
    const [second] = await accepted;
    const chunk = frame({
      opcode: OPCODE.binary,
      payload: Buffer.alloc(1 << 18),
      key: KEY
    });
    let received = 0;

    websocket.pause();
    websocket.on('message', ({ length }) => (received += length));
    for (let sends = 0; sends < 8; sends++) stream.write(chunk);

    const ping = () => {
      other.peer.write(frame({ opcode: OPCODE.text, payload: 'hi', key: KEY }));
      return once(second, 'message');
    };

    for (let turn = 0; turn < 20; turn++) await ping();
    expect(received).toBe(0);
    // No more than the window of the stream has left.
    expect(stream.writableLength).toBeGreaterThan(7 * (1 << 18));

    websocket.resume();
    while (received < 8 << 18) await once(websocket, 'message');
    expect(received).toBe(8 << 18);
  });

  test('what a client does not read counts as buffered', async () => {
    const { websocket, stream } = await openRaw();
    let drained = false;

    stream.pause();
    for (let sends = 0; sends < 32; sends++) {
      websocket.send(Buffer.alloc(1 << 16));
    }
    expect(websocket.bufferedAmount).toBeGreaterThan(1 << 20);

    const drain = waitForDrain(websocket).then(() => (drained = true));
    const next = sendAsync(websocket, 'next');

    await new Promise((resolve) => stream.session.ping(resolve));
    expect(drained).toBe(false);
    stream.resume();
    await Promise.all([drain, next]);
    expect(websocket.bufferedAmount).toBe(0);
  });

  test('keepAlive() ends one of two in a session', async () => {
    const { wss, websocket, session, peer } = await openRaw();
    const silent = await openStream(session);
    const keeping = keepAlive(wss, { pingInterval: 20, pingTimeout: 60 });

    onRelease(() => keeping.stop());
    silent.peer.staysOpen = true;
    peer.socket.on('data', () =>
      peer.write(frame({ opcode: OPCODE.pong, key: KEY }))
    );
    await silent.peer.closed;
    // Node.js 20 loops for ever where one stream is destroyed as another closes.
    await turns(1);
    expect(silent.stream.rstCode).toBe(CANCEL);
    expect(websocket.readyState).toBe(websocket.OPEN);
  });
});

test('100 WebSockets share a session', async () => {
  const { wss, connect } = await serve();
  const session = connect();

  wss.on('connection', (websocket, { url }) => {
    websocket.on('message', (data) => websocket.send(`${url} ${data}`));
  });
  await once(session, 'remoteSettings');

  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const { peer } = await openStream(session, { ':path': `/${index}` });

      peer.write(frame({ opcode: OPCODE.text, payload: 'hi', key: KEY }));
      return String((await peer.frame()).payload);
    })
  );

  expect(answers).toEqual(answers.map((_, index) => `/${index} hi`));
  expect(wss.clients.size).toBe(100);
});
