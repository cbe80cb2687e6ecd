'use strict';

// How WebSockets over HTTP/2 end. The peer is raw: its
// stream, or the bytes of the session.

const { once } = require('events');
const net = require('net');

const { connectHttp2 } = require('../../lib/extra');
const { RawPeer } = require('../support/raw');
const { OPCODE, KEY, closePayload, frame } = require('../support/wire');
const { onceClosed } = require('./support/connections');
const { openRaw, openStream, serve } = require('./support/http2');

const CANCEL = 8;

const close = (code, reason) =>
  frame({
    opcode: OPCODE.close,
    payload: closePayload(code, reason),
    key: KEY
  });

/** Whether a session goes on. */
const isAlive = async (session) => {
  await new Promise((resolve, reject) =>
    session.ping((err) => (err ? reject(err) : resolve()))
  );
  return !session.destroyed;
};

/** Settles once the close frame of the peer is answered, with what is in front. */
const onceClosing = async (websocket) => {
  while (websocket.readyState === websocket.OPEN)
    await new Promise(setImmediate);
};

describe('it ends', () => {
  test('as the client wants', async () => {
    const { websocket, peer, stream, session } = await openRaw();
    const closed = onceClosed(websocket);

    peer.write(close(4000, 'bye'));
    expect(await peer.frame()).toEqual({
      fin: true,
      rsv: 0,
      opcode: OPCODE.close,
      key: null,
      payload: closePayload(4000, 'bye')
    });
    await peer.ended;
    expect(await closed).toEqual([4000, 'bye']);
    await peer.closed;
    expect(stream.rstCode).toBe(0);
    expect(await isAlive(session)).toBe(true);
  });

  test('as the server wants', async () => {
    const { websocket, peer, stream } = await openRaw();
    const closed = onceClosed(websocket);

    websocket.send('before');
    websocket.close(4001, 'enough');
    expect((await peer.frame()).opcode).toBe(OPCODE.text);
    expect((await peer.frame()).payload).toEqual(closePayload(4001, 'enough'));
    peer.write(close(4001));
    await peer.closed;
    expect(stream.rstCode).toBe(0);
    expect(await closed).toEqual([4001, '']);
  });

  test('when the client never ends its side', async () => {
    const { websocket, peer, stream } = await openRaw();
    const closed = onceClosed(websocket);

    peer.staysOpen = true;
    peer.write(close(1000));
    await peer.closed;
    expect(stream.rstCode).toBe(0);
    expect(await closed).toEqual([1000, '']);
  });

  test('by terminate(), with CANCEL', async () => {
    const { websocket, peer, stream, session } = await openRaw();
    const closed = onceClosed(websocket);

    // Node.js ends a stream before it resets it.
    peer.staysOpen = true;
    websocket.terminate();
    await peer.closed;
    expect(stream.rstCode).toBe(CANCEL);
    expect(await closed).toEqual([1006, '']);
    expect(await isAlive(session)).toBe(true);
  });

  test.each([
    ['CANCEL', CANCEL],
    ['INTERNAL_ERROR', 2],
    ['NO_ERROR', 0]
  ])('when the client resets the stream with %s', async (name, code) => {
    const { wss, websocket, stream, session } = await openRaw();
    const closed = onceClosed(websocket);

    stream.on('error', () => {});
    stream.close(code);
    expect(await closed).toEqual([1006, '']);
    expect(wss.clients.size).toBe(0);
    expect(await isAlive(session)).toBe(true);
  });

  test.each([
    ['CANCEL', CANCEL],
    ['NO_ERROR', 0]
  ])('with %s before the client has read all', async (name, code) => {
    const { websocket, stream, session } = await openRaw();
    const closed = onceClosed(websocket);
    const sent = new Promise((resolve) =>
      websocket.send(Buffer.alloc(1 << 20), resolve)
    );

    stream.pause();
    stream.close(code);
    expect(await closed).toEqual([1006, '']);
    await sent;
    expect(await isAlive(session)).toBe(true);
  });

  test('with NO_ERROR behind the close frame', async () => {
    const { websocket, peer, stream } = await openRaw();
    const closed = onceClosed(websocket);

    websocket.send(Buffer.alloc(1 << 20));
    stream.pause();
    peer.write(close(4000, 'bye'));
    await onceClosing(websocket);
    stream.close(0);
    expect(await closed).toEqual([4000, 'bye']);
  });

  test('with NO_ERROR not before a paused one has taken what came', async () => {
    const { websocket, peer, stream, session } = await openRaw();
    const closed = onceClosed(websocket);
    const text = once(websocket, 'message');

    websocket.pause();
    websocket.send(Buffer.alloc(1 << 20));
    stream.pause();
    peer.write(frame({ opcode: OPCODE.text, payload: 'text', key: KEY }));
    await isAlive(session);
    stream.close(0);
    await isAlive(session);
    expect(websocket.readyState).toBe(websocket.OPEN);
    websocket.resume();
    expect(await text).toEqual([Buffer.from('text'), false]);
    expect(await closed).toEqual([1006, '']);
  });

  test('when the client ends its side without a word', async () => {
    const { websocket, peer } = await openRaw();
    const closed = onceClosed(websocket);

    peer.socket.end();
    await peer.closed;
    expect(await closed).toEqual([1006, '']);
  });

  test('behind what came first, and not before it is taken', async () => {
    const { websocket, peer } = await openRaw();
    const events = [];

    websocket.on('message', (data) => events.push(String(data)));
    websocket.on('close', (code) => events.push(code));
    peer.write(
      frame({ opcode: OPCODE.text, payload: 'one', key: KEY }),
      frame({ opcode: OPCODE.text, payload: 'two', key: KEY })
    );
    peer.socket.end();
    await once(websocket, 'close');
    expect(events).toEqual(['one', 'two', 1006]);
  });

  test('with the code that a violation earns', async () => {
    const { websocket, peer, stream } = await openRaw();
    const closed = onceClosed(websocket);

    // Clients mask.
    peer.write(frame({ opcode: OPCODE.text, payload: 'x' }));
    expect((await peer.frame()).payload).toEqual(closePayload(1002));
    await peer.closed;
    expect(stream.rstCode).toBe(0);
    expect(await closed).toEqual([1006, '']);
  });

  test('when a client does not answer in time', async () => {
    const { websocket, peer, stream } = await openRaw({ closeTimeout: 50 });
    const closed = onceClosed(websocket);

    peer.staysOpen = true;
    websocket.close();
    await peer.closed;
    expect(stream.rstCode).toBe(CANCEL);
    expect(await closed).toEqual([1006, '']);
  });

  test('with its session', async () => {
    const { wss, websocket, session } = await openRaw();

    await openStream(session);
    await openStream(session);

    const closes = [...wss.clients].map(onceClosed);

    expect(closes.length).toBe(3);
    session.destroy();
    expect(await Promise.all(closes)).toEqual(Array(3).fill([1006, '']));
    expect(websocket.readyState).toBe(websocket.CLOSED);
  });

  test('with the connection below', async () => {
    const { websocket, session } = await openRaw();
    const closed = onceClosed(websocket);

    session.socket.unref();
    websocket._socket.session.destroy();
    expect(await closed).toEqual([1006, '']);
  });

  test('not with GOAWAY, after which no more come', async () => {
    const { websocket, peer, session, url } = await openRaw();
    const closed = onceClosed(websocket);

    // A graceful end of the session.
    websocket._socket.session.close();
    await once(session, 'goaway');
    websocket.send('still here');
    expect((await peer.frame()).payload).toEqual(Buffer.from('still here'));

    const late = connectHttp2(session, url.replace('http', 'ws'));
    const [err] = await once(late, 'error');

    expect(err.message).toMatch(/GOAWAY/);
    peer.write(close(1000));
    expect(await closed).toEqual([1000, '']);
    if (!session.destroyed) await once(session, 'close');
  });
});

describe('byte for byte', () => {
  const TYPE = { data: 0, headers: 1, reset: 3, settings: 4 };

  /** A frame of HTTP/2 (RFC 9113, section 4.1). */
  function http2Frame(type, flags, stream, payload = Buffer.alloc(0)) {
    const header = Buffer.alloc(9);

    header.writeUIntBE(payload.length, 0, 3);
    header[3] = type;
    header[4] = flags;
    header.writeUInt32BE(stream, 5);
    return Buffer.concat([header, payload]);
  }

  /** Fields as literals without indexing (RFC 7541, section 6.2.2). */
  function literals(fields) {
    return Buffer.concat(
      Object.entries(fields).map(([name, value]) =>
        Buffer.from(
          `\0${String.fromCharCode(name.length)}${name}` +
            `${String.fromCharCode(value.length)}${value}`
        )
      )
    );
  }

  /** A client made of frames. `next(type, stream)` skips all others. */
  async function openFrames(port) {
    const socket = net.connect(port, '127.0.0.1');

    await once(socket, 'connect');

    const peer = new RawPeer(socket);
    const next = async (type, stream) => {
      for (;;) {
        const header = await peer.bytes(9);
        const payload = await peer.bytes(header.readUIntBE(0, 3));

        if (header[3] === type && header.readUInt32BE(5) === stream) {
          return { flags: header[4], payload };
        }
      }
    };

    peer.write(
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      http2Frame(TYPE.settings, 0, 0)
    );
    return { peer, next };
  }

  const request = http2Frame(
    TYPE.headers,
    4, // END_HEADERS
    1,
    literals({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': 'a.test',
      ':path': '/',
      'sec-websocket-version': '13'
    })
  );

  test('settings, data, the end and the reset', async () => {
    const { wss, port } = await serve();
    const { peer, next } = await openFrames(port);
    const accepted = once(wss, 'connection');
    const { payload } = await next(TYPE.settings, 0);
    const settings = [];

    for (let at = 0; at < payload.length; at += 6) {
      settings.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)]);
    }
    // SETTINGS_ENABLE_CONNECT_PROTOCOL
    expect(settings).toContainEqual([8, 1]);

    peer.write(request);

    const [websocket] = await accepted;
    const { flags } = await next(TYPE.headers, 1);

    // END_HEADERS and no END_STREAM.
    expect(flags).toBe(4);
    websocket.send('Hello');
    expect(await next(TYPE.data, 1)).toEqual({
      flags: 0,
      payload: Buffer.from('\x81\x05Hello', 'latin1')
    });

    // The client's close frame with END_STREAM at once.
    const ended = onceClosed(websocket);
    const frames = [];

    peer.write(http2Frame(TYPE.data, 1, 1, close(1000)));
    do frames.push(await next(TYPE.data, 1));
    while ((frames.at(-1).flags & 1) === 0);
    expect(Buffer.concat(frames.map((each) => each.payload))).toEqual(
      Buffer.from([0x88, 2, 3, 232])
    );
    expect(await ended).toEqual([1000, '']);
  });

  test('terminate() is RST_STREAM with CANCEL', async () => {
    const { wss, port } = await serve();
    const { peer, next } = await openFrames(port);
    const accepted = once(wss, 'connection');

    peer.write(request);

    const [websocket] = await accepted;

    await next(TYPE.headers, 1);
    websocket.terminate();
    expect((await next(TYPE.reset, 1)).payload).toEqual(
      Buffer.from([0, 0, 0, CANCEL])
    );
  });
});
