'use strict';

const { once } = require('events');

const { describeEach, pairs } = require('../support/implementations');
const { converse, noise } = require('./deflate-conversation');

const WINDOW_BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const SENT = 'sent';

/** Bytes whose repetitions lie inside and outside of every window. */
const echoes = Buffer.concat(
  [0, 230, 300, 490, 600, 1000].flatMap((gap, index) => [
    noise(130),
    noise(gap, index + 2)
  ])
);

const longText = 'Der Worte sind genug gewechselt. '.repeat(60);

/** Sends a bit of everything, and waits until all of it is there. */
async function recite(from, to) {
  const arrived = new Promise((resolve) => {
    to.on('message', (data) => String(data) === SENT && resolve());
  });
  const answered = new Promise((resolve) => {
    from.on('pong', (data) => String(data) === 'last' && resolve());
  });

  for (const data of ['a', '', longText, longText, Buffer.alloc(0), echoes]) {
    from.send(data);
  }
  from.send(longText, { compress: false });
  from.send(echoes, { compress: true });
  from.send('als Text', { binary: true });

  from.send('fragments ', { fin: false });
  from.ping('first');
  from.send('', { fin: false });
  from.pong('unasked');
  from.send(longText, { fin: false });
  from.send('of a text', { fin: true });

  from.send(Buffer.alloc(0), { fin: false });
  from.send(echoes, { fin: false });
  from.ping();
  from.send(Buffer.alloc(0), { fin: true });

  from.send('not ', { compress: false, fin: false });
  from.send('compressed', { compress: true, fin: true });

  from.send(SENT);
  from.ping('last');
  await Promise.all([arrived, answered]);
}

async function reciteBoth(client, server) {
  await recite(client, server);
  await recite(server, client);
  client.close(1000, 'done');
  await once(server, 'close');
}

/** Node's zlib sees references beyond the window if it may not write far. */
const strict = { zlibInflateOptions: { chunkSize: 64 } };

/** How something is compressed is the same on each driver. */
const [oracle, ...others] = pairs.map((pair) => ({
  ...pair,
  driverless: true
}));
const expected = new Map();

/** What ws says to itself, found once for each setup. */
function expectation(setup) {
  const key = JSON.stringify(setup);

  if (!expected.has(key)) {
    expected.set(key, converse(oracle, setup, reciteBoth));
  }
  return expected.get(key);
}

describeEach(others, 'as between ws and ws:', (pair) => {
  const rows = [false, true].flatMap((serverNoContextTakeover) =>
    [false, true].flatMap((clientNoContextTakeover) =>
      WINDOW_BITS.map((serverMaxWindowBits) => ({
        serverNoContextTakeover,
        clientNoContextTakeover,
        serverMaxWindowBits
      }))
    )
  );

  test.each(rows)('all client windows with %j', async (parameters) => {
    for (const clientMaxWindowBits of WINDOW_BITS) {
      const setup = {
        server: {
          perMessageDeflate: {
            ...strict,
            ...parameters,
            clientMaxWindowBits,
            threshold: 100
          }
        },
        client: { perMessageDeflate: { ...strict, threshold: 100 } }
      };
      const wanted = await expectation(setup);

      expect(wanted.client.length).toBeGreaterThan(15);
      expect(await converse(pair, setup, reciteBoth)).toEqual(wanted);
    }
  });

  test.each([
    [true, true],
    [{}, { serverNoContextTakeover: true }],
    [{}, { clientNoContextTakeover: true }],
    [{}, { serverMaxWindowBits: 8, clientMaxWindowBits: 8 }],
    [{ clientMaxWindowBits: false }, { clientMaxWindowBits: 9 }],
    [{ clientMaxWindowBits: 9 }, { clientMaxWindowBits: 12 }],
    [{ serverMaxWindowBits: 9 }, { serverMaxWindowBits: 12 }],
    [{ threshold: 0 }, { threshold: Infinity }]
  ])('a server with %j and a client with %j', async (server, client) => {
    const setup = {
      server: { perMessageDeflate: server },
      client: { perMessageDeflate: client }
    };

    expect(await converse(pair, setup, reciteBoth)).toEqual(
      await expectation(setup)
    );
  });

  test.each([
    ...[-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => ({ level })),
    ...[1, 2, 3, 4].map((strategy) => ({ strategy })),
    ...[1, 9].map((memLevel) => ({ memLevel }))
  ])('narrow and wide windows with %j', async (zlibDeflateOptions) => {
    for (const windowBits of [8, 9, 15]) {
      const perMessageDeflate = {
        ...strict,
        serverMaxWindowBits: windowBits,
        clientMaxWindowBits: windowBits,
        zlibDeflateOptions
      };
      const setup = {
        server: { perMessageDeflate },
        client: { perMessageDeflate }
      };

      expect(await converse(pair, setup, reciteBoth)).toEqual(
        await expectation(setup)
      );
    }
  });
});
