'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { trace } = require('../support/trace');
const { frame, KEY, OPCODE } = require('../support/wire');

const { binary, close, continuation, ping, pong, text } = OPCODE;

describeEach(routedImplementations, 'send() with fin', (row) => {
  /** Runs `send(websocket)` and gives `count` frames of it. */
  async function framesOf(open, count, send) {
    const { websocket, peer } = await open(row, { perMessageDeflate: false });
    const frames = [];

    send(websocket);
    while (frames.length < count) frames.push(await peer.frame());
    return frames.map(({ fin, opcode, payload }) => [
      fin,
      opcode,
      payload.toString('latin1')
    ]);
  }

  test.each([
    ['a server', serveRaw],
    ['a client', dialRaw]
  ])('splits a message of %s', async (_, open) => {
    expect(
      await framesOf(open, 7, (websocket) => {
        websocket.send('a', { fin: false });
        websocket.send('b', { fin: false });
        websocket.ping('p');
        websocket.send('c', { fin: true });
        websocket.send(Buffer.from('d'), { fin: false });
        websocket.send('e', { binary: false });
        websocket.send('f');
      })
    ).toEqual([
      [false, text, 'a'],
      [false, continuation, 'b'],
      [true, ping, 'p'],
      [true, continuation, 'c'],
      [false, binary, 'd'],
      [true, continuation, 'e'],
      [true, text, 'f']
    ]);
  });

  test('allows empty fragments and Blobs', async () => {
    expect(
      await framesOf(serveRaw, 4, (websocket) => {
        websocket.send('', { fin: false });
        websocket.send(new Blob(['x']), { fin: false });
        websocket.send('', { fin: false });
        websocket.send('');
      })
    ).toEqual([
      [false, text, ''],
      [false, continuation, 'x'],
      [false, continuation, ''],
      [true, continuation, '']
    ]);
  });

  test('lets a close go out between fragments', async () => {
    expect(
      await framesOf(serveRaw, 2, (websocket) => {
        websocket.send('a', { fin: false });
        websocket.close(1001);
      })
    ).toEqual([
      [false, text, 'a'],
      [true, close, '\x03\xe9']
    ]);
  });
});

describeEach(routedPairs, 'fragments', (pair) => {
  test('arrive as one message', async () => {
    const { client, server } = await connect(pair);

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      const first = once(to, 'message');

      for (const part of ['Good', ', ', '', 'thanks']) {
        from.send(part, { fin: false });
      }
      from.send('!');

      const [data, isBinary] = await first;

      expect([String(data), isBinary]).toEqual(['Good, thanks!', false]);
    }
  });

  test('may be many and large', async () => {
    const { client, server } = await connect(pair);
    const part = Buffer.alloc(100000, 'x');

    for (let index = 0; index < 20; index++) client.send(part, { fin: false });
    client.send(part);

    const [data, isBinary] = await once(server, 'message');

    expect(data.equals(Buffer.alloc(2100000, 'x'))).toBe(true);
    expect(isBinary).toBe(true);
  });
});

describeEach(routedImplementations, 'received fragments', (row) => {
  const sequence = (key) => [
    frame({ opcode: text, payload: 'a', fin: false, key }),
    frame({ opcode: ping, payload: 'p', key }),
    frame({ opcode: continuation, payload: '', fin: false, key }),
    frame({ opcode: pong, payload: 'q', key }),
    frame({ opcode: continuation, payload: 'b', key }),
    frame({ opcode: binary, payload: 'c', key })
  ];
  const expected = [
    { event: 'ping', readyState: 1, data: 'Buffer(1) p' },
    { event: 'pong', readyState: 1, data: 'Buffer(1) q' },
    { event: 'message', readyState: 1, isBinary: false, data: 'Buffer(2) ab' },
    { event: 'message', readyState: 1, isBinary: true, data: 'Buffer(1) c' }
  ];

  test.each([
    ['in one segment', (peer, frames) => peer.write(...frames)],
    [
      'byte by byte',
      (peer, frames) => peer.writeByteByByte(Buffer.concat(frames))
    ]
  ])('may have control frames between them, %s', async (_, write) => {
    for (const [open, key] of [
      [serveRaw, KEY],
      [dialRaw, undefined]
    ]) {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const last = new Promise((resolve) => {
        websocket.on('message', (_, isBinary) => isBinary && resolve());
      });

      write(peer, sequence(key));
      await last;
      expect(events.filter(({ event }) => event !== 'open')).toEqual(expected);
    }
  });

  test('may split a character anywhere', async () => {
    const { websocket, peer } = await serveRaw(row);
    const payload = Buffer.from('\u00e9\u4e16\ud83d\ude00');
    const pieces = [...payload].map((byte, index) =>
      frame({
        opcode: index === 0 ? text : continuation,
        payload: Buffer.from([byte]),
        fin: index === payload.length - 1,
        key: KEY
      })
    );

    peer.write(...pieces);
    expect(String((await once(websocket, 'message'))[0])).toBe(
      '\u00e9\u4e16\ud83d\ude00'
    );
  });

  test('are no message without the last', async () => {
    const { websocket, peer } = await serveRaw(row);
    const events = trace(websocket);

    peer.write(
      frame({ opcode: text, payload: 'lost', fin: false, key: KEY }),
      frame({ opcode: close, key: KEY })
    );
    await once(websocket, 'close');
    expect(events).toEqual([
      { event: 'close', readyState: 3, code: 1005, reason: 'Buffer(0) ' }
    ]);
  });
});

describeEach(implementations, 'the segments of a frame', ({ lib }) => {
  test.each([1, 2, 3, 7, 1000])('may have %p bytes', async (size) => {
    const { websocket, peer } = await serveRaw({ lib });
    const count = size < 10 ? 300 : 70000;
    const bytes = frame({
      opcode: binary,
      payload: Buffer.alloc(count, 'abcdefgh'),
      key: KEY
    });
    const received = once(websocket, 'message');

    peer.socket.setNoDelay(true);
    for (let start = 0; start < bytes.length; start += size) {
      await new Promise((resolve) => {
        peer.socket.write(bytes.subarray(start, start + size), resolve);
      });
    }

    const [data] = await received;

    expect(data.equals(Buffer.alloc(count, 'abcdefgh'))).toBe(true);
  });

  test.each([
    [2, 5],
    [8, 5],
    [8, 300]
  ])('may give the length in %p bytes for %p', async (lengthBytes, length) => {
    const { websocket, peer } = await serveRaw({ lib });
    const payload = Buffer.alloc(length, 'z');

    peer.write(frame({ opcode: binary, payload, lengthBytes, key: KEY }));

    const [data] = await once(websocket, 'message');

    expect(data.equals(payload)).toBe(true);
  });
});
