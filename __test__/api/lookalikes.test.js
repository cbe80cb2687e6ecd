'use strict';

const { once } = require('events');
const vm = require('vm');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');

/** What looks like bytes and has none. */
const lookalikes = {
  'an object with the prototype of Uint8Array': () =>
    Object.create(Uint8Array.prototype),
  'an object with the prototype of Buffer': () =>
    Object.create(Buffer.prototype),
  'a Proxy of a Buffer': () => new Proxy(Buffer.from('x'), {}),
  'a Proxy of a Uint8Array': () => new Proxy(new Uint8Array(1), {}),
  'a Uint8Array whose memory was transferred': () =>
    transferred(new Uint8Array(2)),
  'an ArrayBuffer that was transferred': () => transferred(new ArrayBuffer(2))
};

/** What has bytes, and the bytes. */
const views = {
  'a Uint8Array of another realm': [
    () => vm.runInNewContext('new Uint8Array([1, 2])'),
    '0102'
  ],
  'an ArrayBuffer of another realm': [
    () => vm.runInNewContext('new Uint8Array([1, 2]).buffer'),
    '0102'
  ],
  'an Array of another realm': [() => vm.runInNewContext('[1, 2]'), '0102'],
  'a SharedArrayBuffer': [() => new SharedArrayBuffer(2), '0000'],
  'a view of a SharedArrayBuffer': [
    () => new Uint8Array(new SharedArrayBuffer(2)).fill(7),
    '0707'
  ],
  'a view that a resizable ArrayBuffer has left behind': [
    () => {
      const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
      const view = new Uint8Array(buffer, 2, 2);

      buffer.resize(1);
      return view;
    },
    ''
  ],
  'a view that grows with its ArrayBuffer': [
    () => {
      const buffer = new ArrayBuffer(1, { maxByteLength: 8 });
      const view = new Uint8Array(buffer);

      buffer.resize(3);
      return view;
    },
    '000000'
  ],
  'a Buffer whose memory was transferred': [
    () => transferred(Buffer.from(new ArrayBuffer(2))),
    ''
  ]
};

function transferred(value) {
  structuredClone(value, { transfer: [value.buffer || value] });
  return value;
}

describeEach(routedImplementations, 'what looks like bytes', (row) => {
  const pair = {
    WebSocketServer: row.lib.WebSocketServer,
    WebSocket: row.lib.WebSocket,
    route: row.route
  };

  test.each(Object.entries(lookalikes))('%s is refused', async (_, make) => {
    const { client, server } = await connect(pair);

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      for (const method of ['send', 'ping', 'pong']) {
        expect(() => from[method](make())).toThrow(
          expect.objectContaining({ name: 'TypeError' })
        );
      }
      // Nothing of it was sent, and nothing is in the way.
      const message = once(to, 'message');

      for (const event of ['ping', 'pong']) {
        to.on(event, () => expect(event).toBe('nothing'));
      }
      from.send('next');
      expect(String((await message)[0])).toBe('next');
      expect(from.bufferedAmount).toBe(0);
    }
  });

  test.each(Object.entries(views))('%s is sent', async (_, [make, hex]) => {
    const { client, server } = await connect(pair);

    for (const method of ['send', 'ping', 'pong']) {
      const event = method === 'send' ? 'message' : method;
      const arrived = once(server, event);

      client[method](make());
      expect((await arrived)[0].toString('hex')).toBe(hex);
    }
  });
});

describeEach(routedImplementations, 'a frame for sendFrame()', (row) => {
  test.each([
    ['a number', 5],
    ['an array', [1]],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['undefined', undefined],
    ['an object with the prototype of Uint8Array', Object.create(Uint8Array)]
  ])('may not be %s', async (_, chunk) => {
    const { websocket } = await dialRaw(row);

    expect(() => websocket._sender.sendFrame([chunk])).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })
    );
  });

  test('may be text', async () => {
    const { websocket, peer } = await serveRaw(row);

    websocket._sender.sendFrame([Buffer.from([0x81, 2]), 'ab']);
    expect((await peer.bytes(4)).toString('hex')).toBe('81026162');
  });
});
