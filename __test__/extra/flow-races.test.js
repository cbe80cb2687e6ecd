'use strict';

const path = require('path');

const { describeEach } = require('../support/implementations');
const { linesOf, ownDrivers } = require('../support/drivers');
const { paths, root } = require('../support/child');

const alternating = {
  ...ownDrivers[0],
  name: 'oxws, from one driver to the other',
  env: { OXWS_DRIVER: 'alternate' }
};

/**
 * Waits for connections that are filled, paused, closed and terminated at
 * random. Prints how many of these waits came to which end.
 */
async function race(oxws, ws, extra, randomness, rounds) {
  const assert = require('assert');
  const { once } = require('events');
  const WebSocket = require(ws);
  const { broadcast, sendAsync, waitForDrain } = require(extra);
  const Random = require(randomness);
  const random = new Random(rounds);
  const turn = () => new Promise(setImmediate);
  const ends = { resolved: 0, closed: 0, aborted: 0 };
  const wss = new oxws.WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: { threshold: 0 }
  });

  await once(wss, 'listening');

  const url = `ws://127.0.0.1:${wss.address().port}`;

  for (let round = 0; round < rounds; round++) {
    const connected = once(wss, 'connection');
    const client = new WebSocket(url, { perMessageDeflate: round % 3 === 0 });
    const [[server]] = await Promise.all([connected, once(client, 'open')]);
    const closed = Promise.all(
      [server, client].map((end) => once(end, 'close'))
    );
    const ending = ['close', 'terminate', 'peer'][round % 3];
    const waits = [];
    let sent = 0;
    let received = 0;

    client.on('error', () => {});
    server.on('error', () => {});
    client.on('message', (data) => {
      assert.strictEqual(data.readUInt32LE(), received++);
    });

    // Then more waits than the kernel takes.
    if (round % 2 === 1) client.pause();

    const next = () => {
      const data = Buffer.alloc(4 + random.below(100) ** 3, round);

      data.writeUInt32LE(sent++);
      return data;
    };
    const wait = async (promise) => {
      try {
        await promise;
        ends.resolved++;
      } catch (err) {
        if (err.name === 'AbortError') ends.aborted++;
        else {
          assert.strictEqual(err.code, 'ERR_STREAM_PREMATURE_CLOSE');
          assert.notStrictEqual(ending, 'close');
          ends.closed++;
        }
      }
    };

    for (let step = 0; step < 40; step++) {
      switch (random.below(7)) {
        case 0:
          server.send(next());
          break;
        case 1:
          broadcast([server], next());
          break;
        case 2:
          waits.push(
            wait(
              sendAsync(server, next(), {
                highWaterMark: random.below(1 << 18)
              })
            )
          );
          break;
        case 3:
          waits.push(
            wait(waitForDrain(server, { threshold: random.below(1 << 18) }))
          );
          break;
        case 4: {
          const controller = new AbortController();
          const { signal } = controller;

          waits.push(wait(waitForDrain(server, { signal })));
          controller.abort();
          break;
        }
        case 5:
          server[server.isPaused ? 'resume' : 'pause']();
          break;
        default:
          await turn();
      }
    }
    waits.push(wait(waitForDrain(server)));
    if (random.below(2) === 0) await turn();
    server.resume();
    if (ending === 'close') {
      client.resume();
      server.close();
    } else if (ending === 'terminate') {
      server.terminate();
      client.resume();
    } else {
      client.terminate();
    }
    await closed;
    await Promise.all(waits);
    if (ending === 'close') assert.strictEqual(received, sent);
    assert.deepStrictEqual(server.listeners('error').length, 1);
  }
  wss.close();
  for (const [end, count] of Object.entries(ends)) {
    console.log(end, count > 0);
  }
}

describeEach([...ownDrivers, alternating], 'waits', (row) => {
  test('settle, whatever comes of the connection', async () => {
    const args = [
      paths.ws,
      path.join(root, 'lib/extra'),
      path.join(root, '__test__/support/random'),
      30
    ];

    expect(await linesOf(row, race, { args })).toEqual([
      'resolved true',
      'closed true',
      'aborted true'
    ]);
  });
});
