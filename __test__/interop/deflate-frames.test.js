'use strict';

const { once } = require('events');

const { describeEach, pairs } = require('../support/implementations');
const { converseTapped } = require('./deflate-conversation');

/** Messages, each as a list of `[data, options]`, one entry a fragment. */
const messages = [
  [['', {}]],
  [['x', {}]],
  [['x'.repeat(999), {}]],
  [['x'.repeat(1000), {}]],
  [['é'.repeat(500), {}]],
  [[Buffer.alloc(1000), {}]],
  [[Buffer.alloc(1000), { binary: false }]],
  [[Buffer.alloc(1000), { compress: false }]],
  [['x', { compress: true }]],
  [['x'.repeat(1000), { compress: undefined }]],
  [
    ['', { fin: false }],
    ['x'.repeat(1000), { fin: true }]
  ],
  [
    ['x'.repeat(1000), { fin: false }],
    ['y', { fin: false }],
    ['', { fin: true }]
  ],
  [
    ['x'.repeat(1000), { fin: false, compress: false }],
    ['x'.repeat(1000), { fin: true, compress: true }]
  ],
  [
    ['x'.repeat(1000), { fin: false, compress: true }],
    ['x'.repeat(1000), { fin: true, compress: false }]
  ],
  [[new Blob(['x'.repeat(1000)]), {}]],
  [[Buffer.alloc(40000, 'large'), {}]],
  [['end', {}]]
];

async function sendAll(from, to) {
  const arrived = new Promise((resolve) => {
    to.on('message', (data) => String(data) === 'end' && resolve());
  });

  for (const fragments of messages) {
    for (const [data, options] of fragments) {
      from.send(data, options);
      from.pong(String(messages.indexOf(fragments)));
    }
  }
  await arrived;
}

async function play(client, server) {
  await sendAll(client, server);
  await sendAll(server, client);
  server.close(1000, 'done');
  await once(client, 'close');
}

const [oracle, ...others] = pairs;

describeEach(others, 'frames as between ws and ws:', (pair) => {
  const rows = [false, true].flatMap((serverNoContextTakeover) =>
    [false, true].flatMap((clientNoContextTakeover) =>
      [undefined, 0, 1, 1000, 1001, 40001].map((threshold) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        threshold
      }))
    )
  );

  test.each([...rows, true, false])('with %j', async (perMessageDeflate) => {
    const setup = {
      server: { perMessageDeflate },
      client: { perMessageDeflate, generateMask: () => {} }
    };

    expect(await converseTapped(pair, setup, play)).toEqual(
      await converseTapped(oracle, setup, play)
    );
  });
});
