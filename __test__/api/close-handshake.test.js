'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  pairs,
  routedImplementations
} = require('../support/implementations');
const { thrown, trace } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const { close, text } = OPCODE;
const ABNORMAL = {
  event: 'close',
  readyState: 3,
  code: 1006,
  reason: 'Buffer(0) '
};

const roles = [
  { role: 'server', open: serveRaw, key: KEY },
  { role: 'client', open: dialRaw, key: undefined }
];

/** Settles with 'close', whenever it comes. */
const closed = (websocket) =>
  new Promise((resolve) => {
    websocket.on('close', (code, reason) => resolve([code, String(reason)]));
  });

for (const { role, open, key } of roles) {
  describeEach(routedImplementations, `the closing of a ${role}`, (row) => {
    const closeFrame = (payload) => frame({ opcode: close, payload, key });

    test.each([
      [[1000, 'Bye'], closePayload(1000, 'Bye')],
      [[4321], closePayload(4321)],
      [[], Buffer.alloc(0)]
    ])('sends a close frame for %p', async (args, payload) => {
      const { websocket, peer } = await open(row);

      websocket.close(...args);

      const sent = await peer.frame();

      expect(sent).toMatchObject({ fin: true, rsv: 0, opcode: close, payload });
      expect(sent.key === null).toBe(role === 'server');
    });

    test.each([
      [closePayload(1000, 'Bye'), [1000, 'Bye']],
      [closePayload(3333), [3333, '']],
      [Buffer.alloc(0), [1005, '']]
    ])('echoes %p', async (payload, event) => {
      const { websocket, peer } = await open(row);
      const ending = closed(websocket);

      peer.write(closeFrame(payload));
      expect(await peer.frame()).toMatchObject({ opcode: close, payload });
      expect(await peer.frame()).toBe(null);
      expect(await ending).toEqual(event);
    });

    test('ends its side when both frames were seen', async () => {
      const { websocket, peer } = await open(row);
      const order = [];

      peer.staysOpen = true;
      websocket.on('close', () => order.push('close'));
      websocket.close(1000);
      expect(await peer.frame()).toMatchObject({ opcode: close });
      peer.write(closeFrame(closePayload(1001, 'Bye')));
      await peer.ended;
      expect(websocket.readyState).toBe(2);
      order.push('FIN');
      peer.socket.end();
      expect(await closed(websocket)).toEqual([1001, 'Bye']);
      expect(order).toEqual(['FIN', 'close']);
    });

    test('does not wait for ever for the close frame', async () => {
      const { websocket, peer } = await open(row, { closeTimeout: 20 });
      const events = trace(websocket);

      websocket.close(1000);
      expect(await closed(websocket)).toEqual([1006, '']);
      await peer.ended;
      expect(events).toEqual([ABNORMAL]);
    });

    test('does not wait for ever for FIN', async () => {
      const { websocket, peer } = await open(row, { closeTimeout: 20 });

      peer.staysOpen = true;
      peer.write(closeFrame(closePayload(1000, 'Bye')));
      expect(await closed(websocket)).toEqual([1000, 'Bye']);
    });

    test('after FIN without a close frame is abnormal', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);

      peer.socket.end();
      await ending;
      expect(await peer.frame()).toBe(null);
      expect(events).toEqual([ABNORMAL]);
    });

    test('after FIN inside a frame is abnormal', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);

      peer.socket.end(
        frame({ opcode: text, payload: 'half', length: 100, key })
      );
      await ending;
      expect(events).toEqual([ABNORMAL]);
    });

    test('after FIN still delivers what came before', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);

      peer.socket.end(frame({ opcode: text, payload: 'last words', key }));
      await ending;
      expect(events).toEqual([
        {
          event: 'message',
          readyState: 1,
          isBinary: false,
          data: 'Buffer(10) last words'
        },
        ABNORMAL
      ]);
    });

    test('after FIN that follows the close frame keeps its code', async () => {
      const { websocket, peer } = await open(row);
      const ending = closed(websocket);

      peer.socket.end(closeFrame(closePayload(1000, 'Bye')));
      expect(await ending).toEqual([1000, 'Bye']);
    });

    test('after a lost connection is abnormal and no error', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);

      if (row.route === 'TLS') peer.socket.destroy();
      else peer.socket.resetAndDestroy();
      await ending;
      expect(events).toEqual([ABNORMAL]);
    });

    test('after a connection lost while sending is no error', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);
      const results = [];

      peer.socket.pause();
      for (let count = 0; count < 32; count++) {
        websocket.send(Buffer.alloc(1 << 20), (err) => {
          results.push(err ? 'failed' : 'sent');
        });
      }
      expect(websocket.bufferedAmount).toBeGreaterThan(0);
      peer.socket.destroy();
      await ending;
      await new Promise(setImmediate);
      expect(events).toEqual([ABNORMAL]);
      expect(results).toHaveLength(32);
      expect(results.slice(-1)).toEqual(['failed']);
    });

    test('gives a reason that is no part of a larger buffer', async () => {
      const { websocket, peer } = await open(row);

      peer.write(closeFrame(closePayload(1000, 'Bye')));

      const [, reason] = await once(websocket, 'close');

      expect(reason.buffer.byteLength).toBe(3);
    });

    test('accepts further bytes after the close frame', async () => {
      const { websocket, peer } = await open(row);
      const events = trace(websocket);
      const ending = closed(websocket);

      peer.write(
        closeFrame(closePayload(1000)),
        Buffer.alloc(200000, 0xff),
        closeFrame(closePayload(4000))
      );
      expect(await ending).toEqual([1000, '']);
      expect(events.map(({ event }) => event)).toEqual(['close']);
    });
  });
}

describeEach(pairs, 'sending while closing', (pair) => {
  test.each(['send', 'ping', 'pong'])(
    '%s() fails its callback',
    async (name) => {
      const { client } = await connect(pair);
      const ending = closed(client);
      const results = [];

      client.close();
      client[name]('four', (err) => results.push(err.message));
      client[name]();
      client[name](undefined, (err) => results.push(err.message));
      expect(results).toEqual([]);
      expect(client.bufferedAmount).toBe(4);
      await new Promise(process.nextTick);
      expect(results).toEqual(
        Array(2).fill('WebSocket is not open: readyState 2 (CLOSING)')
      );
      await ending;
      client[name](Buffer.from('seven..'), (err) => results.push(err.message));
      await new Promise(process.nextTick);
      expect(results[2]).toBe('WebSocket is not open: readyState 3 (CLOSED)');
      expect(client.bufferedAmount).toBe(11);
    }
  );

  test('counts Blobs, numbers and text by their bytes', async () => {
    const { client } = await connect(pair);

    client.terminate();
    client.send(new Blob(['12345']));
    expect(client.bufferedAmount).toBe(5);
    client.send(123);
    expect(client.bufferedAmount).toBe(8);
    client.send('\u00e9');
    expect(client.bufferedAmount).toBe(10);
    client.send([1, 2, 3]);
    expect(client.bufferedAmount).toBe(13);
    expect(thrown(() => client.send({})).code).toBe('ERR_INVALID_ARG_TYPE');
  });
});
