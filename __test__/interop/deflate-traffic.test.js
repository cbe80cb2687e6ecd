'use strict';

const { connect } = require('../support/connection');
const { describeEach, routedPairs } = require('../support/implementations');
const { describeData } = require('../support/trace');
const { noise } = require('./deflate-conversation');

const OPERATIONS = 100;
const SIZES = [0, 1, 125, 126, 1023, 1024, 5000, 32767, 32768, 70000, 200000];

/** A source of numbers below a limit, the same ones for a seed. */
function dice(seed) {
  let state = seed;

  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/**
 * Sends at random, now much at once and now little.
 *
 * @returns {Promise<string[]>} what must arrive, in this order
 */
async function sendAtRandom(websocket, seed) {
  const roll = dice(seed);
  const expected = [];
  const pieces = [];

  function payload() {
    const size = SIZES[roll(SIZES.length)];

    return roll(2) ? Buffer.alloc(size, `number ${seed} `) : noise(size, seed);
  }

  function fragment(fin) {
    const data = payload();

    pieces.push(data);
    websocket.send(data, { fin, binary: true, compress: roll(3) > 0 });
    if (fin) expected.push(describeData(Buffer.concat(pieces.splice(0))));
  }

  for (let index = 0; index < OPERATIONS; index++) {
    const kind = roll(8);

    if (kind === 0) {
      websocket.ping(`ping ${index}`);
      expected.push(`ping ${index}`);
    } else {
      fragment(kind > 2);
    }
    if (roll(10) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  fragment(true);
  return expected;
}

/** What arrives, with pauses. */
function receive(websocket, seed) {
  const roll = dice(seed);
  const events = [];

  websocket.on('ping', (data) => events.push(String(data)));
  websocket.on('message', (data) => {
    events.push(describeData(data));
    if (roll(10) > 0) return;
    websocket.pause();
    setImmediate(() => websocket.resume());
  });
  return events;
}

const rows = routedPairs.filter(({ name }) => name.includes('oxws'));

describeEach(rows, 'compressed traffic', (pair) => {
  test.each([
    ['by default', true],
    ['without context', { serverNoContextTakeover: true, threshold: 0 }],
    ['with small windows', { serverMaxWindowBits: 9, clientMaxWindowBits: 8 }]
  ])('both ways at random arrives in order %s', async (_, options) => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: options },
      client: { perMessageDeflate: { threshold: 0 } }
    });
    const atClient = receive(client, 1);
    const atServer = receive(server, 2);
    const closed = [client, server].map(
      (websocket) => new Promise((resolve) => websocket.on('close', resolve))
    );
    const [fromClient, fromServer] = await Promise.all([
      sendAtRandom(client, 3),
      sendAtRandom(server, 4)
    ]);

    client.close(1000);
    server.close(1000);
    expect(await Promise.all(closed)).toEqual([1000, 1000]);
    expect(atClient).toEqual(fromServer);
    expect(atServer).toEqual(fromClient);
  });
});
