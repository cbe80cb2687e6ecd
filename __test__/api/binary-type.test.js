'use strict';

const { once } = require('events');

const { connect, dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations
} = require('../support/implementations');
const { describeData } = require('../support/trace');
const { frame, KEY, OPCODE } = require('../support/wire');

const whole = [{ opcode: OPCODE.binary, payload: 'abcdef' }];
const parts = [
  { opcode: OPCODE.binary, payload: 'ab', fin: false },
  { opcode: OPCODE.continuation, payload: '', fin: false },
  { opcode: OPCODE.continuation, payload: 'cde', fin: false },
  { opcode: OPCODE.continuation, payload: 'f' }
];
const empty = [{ opcode: OPCODE.binary }];
const emptyParts = [
  { opcode: OPCODE.binary, fin: false },
  { opcode: OPCODE.continuation }
];
const words = [{ opcode: OPCODE.text, payload: 'abcdef' }];

const deliveries = [
  ['nodebuffer', 'a whole message', whole, 'Buffer(6) abcdef'],
  ['nodebuffer', 'fragments', parts, 'Buffer(6) abcdef'],
  ['nodebuffer', 'an empty message', empty, 'Buffer(0) '],
  ['nodebuffer', 'empty fragments', emptyParts, 'Buffer(0) '],
  ['arraybuffer', 'a whole message', whole, 'ArrayBuffer(6) abcdef'],
  ['arraybuffer', 'fragments', parts, 'ArrayBuffer(6) abcdef'],
  ['arraybuffer', 'an empty message', empty, 'ArrayBuffer(0) '],
  ['arraybuffer', 'empty fragments', emptyParts, 'ArrayBuffer(0) '],
  ['fragments', 'a whole message', whole, ['Buffer(6) abcdef']],
  [
    'fragments',
    'fragments',
    parts,
    ['Buffer(2) ab', 'Buffer(3) cde', 'Buffer(1) f']
  ],
  ['fragments', 'an empty message', empty, []],
  ['fragments', 'empty fragments', emptyParts, []],
  ['blob', 'a whole message', whole, 'Blob(6) abcdef'],
  ['blob', 'fragments', parts, 'Blob(6) abcdef'],
  ['blob', 'an empty message', empty, 'Blob(0) '],
  ['blob', 'empty fragments', emptyParts, 'Blob(0) '],
  ...['nodebuffer', 'arraybuffer', 'fragments', 'blob'].map((type) => [
    type,
    'a text message',
    words,
    'Buffer(6) abcdef'
  ])
];

/** What arrived, as describeData() says it; Blobs are read. */
async function describeDelivery(data) {
  if (!(data instanceof Blob)) return describeData(data);
  return `Blob(${data.size}) ${await data.text()}`;
}

function encode(frames, key) {
  return Buffer.concat(frames.map((fields) => frame({ ...fields, key })));
}

describeEach(routedImplementations, 'binaryType', (row) => {
  test.each(deliveries)('%s delivers %s', async (type, _, frames, expected) => {
    for (const [open, key] of [
      [serveRaw, KEY],
      [dialRaw, undefined]
    ]) {
      const { websocket, peer } = await open(row);

      websocket.binaryType = type;
      expect(websocket.binaryType).toBe(type);
      peer.write(encode(frames, key));

      const [data, isBinary] = await once(websocket, 'message');

      expect(await describeDelivery(data)).toEqual(expected);
      expect(isBinary).toBe(frames[0].opcode === OPCODE.binary);
    }
  });

  test('changes the very next message', async () => {
    const { websocket, peer } = await serveRaw(row);
    const types = ['arraybuffer', 'fragments', 'blob', 'nodebuffer'];
    const received = [];
    const finished = new Promise((resolve) => {
      websocket.on('message', (data) => {
        received.push(data);
        websocket.binaryType = types[received.length - 1];
        if (received.length === 5) resolve();
      });
    });

    peer.write(...Array(5).fill(encode(whole, KEY)));
    await finished;
    expect(await Promise.all(received.map(describeDelivery))).toEqual([
      'Buffer(6) abcdef',
      'ArrayBuffer(6) abcdef',
      ['Buffer(6) abcdef'],
      'Blob(6) abcdef',
      'Buffer(6) abcdef'
    ]);
  });

  test('of large messages', async () => {
    const { websocket, peer } = await dialRaw(row);
    const payload = Buffer.alloc(300000, 'abc');
    const frames = [
      { opcode: OPCODE.binary, payload, fin: false },
      { opcode: OPCODE.continuation, payload }
    ];

    for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
      websocket.binaryType = type;
      peer.write(encode(frames));

      let [data] = await once(websocket, 'message');

      if (type === 'blob') data = await data.arrayBuffer();
      if (type === 'fragments') {
        expect(data.map(({ length }) => length)).toEqual([300000, 300000]);
        data = Buffer.concat(data);
      }
      if (type === 'arraybuffer') expect(data.byteLength).toBe(600000);
      expect(Buffer.from(data).equals(Buffer.concat([payload, payload]))).toBe(
        true
      );
    }
  });
});

describeEach(implementations, 'binaryType', ({ lib }) => {
  const pair = {
    WebSocketServer: lib.WebSocketServer,
    WebSocket: lib.WebSocket
  };

  test.each(['', 'text', 'NodeBuffer', 'toString', null, undefined, 1])(
    'ignores %p',
    async (value) => {
      const { client } = await connect(pair);

      client.binaryType = 'arraybuffer';
      client.binaryType = value;
      expect(client.binaryType).toBe('arraybuffer');
    }
  );

  test('may be chosen before the connection is open', async () => {
    const { client, server } = await connect(pair, {
      onClient: (client) => (client.binaryType = 'fragments')
    });

    server.send(Buffer.from('x'));

    const [data] = await once(client, 'message');

    expect(describeData(data)).toEqual(['Buffer(1) x']);
  });

  test('gives ArrayBuffers that share nothing', async () => {
    const { client, server } = await connect(pair);
    const received = [];
    const finished = new Promise((resolve) => {
      client.on('message', (data) => {
        received.push(data);
        if (received.length === 2) resolve();
      });
    });

    client.binaryType = 'arraybuffer';
    server.send(Buffer.from('one'));
    server.send(Buffer.from('two'));
    await finished;
    new Uint8Array(received[0]).fill(0);
    expect(received[0]).not.toBe(received[1]);
    expect(describeData(received[1])).toBe('ArrayBuffer(3) two');
  });
});
