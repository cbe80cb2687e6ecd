'use strict';

const { dialRaw, serveRaw } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { work } = require('../support/waiting');
const { KEY, OPCODE, frame } = require('../support/wire');

/** Now and then the system lets the I/O thread wait longer than this thread works. */
const ROUNDS = 20;

const rows = implementations.flatMap((row) => [
  { ...row, name: `${row.name}, server`, open: serveRaw, key: KEY },
  { ...row, name: `${row.name}, client`, open: dialRaw, key: null }
]);

describeEach(rows, 'messages that come while JavaScript works', (row) => {
  test('are told together, as those of one read', async () => {
    let onHeard;
    let heard = [];
    const { peer } = await row.open({ ...row, route: 'native' }, undefined, {
      onWebSocket(websocket) {
        websocket.on('message', (data) => {
          heard.push(`message ${data}`);
          Promise.resolve().then(() => {
            heard.push(`microtask ${data}`);
            if (heard.length === 4) onHeard();
          });
        });
      }
    });
    const rounds = [];

    peer.socket.setNoDelay(true);

    for (let round = 0; round < ROUNDS; round++) {
      heard = [];

      const all = new Promise((resolve) => (onHeard = resolve));

      for (const payload of ['a', 'b']) {
        peer.write(frame({ opcode: OPCODE.text, payload, key: row.key }));
        work(3);
      }
      await all;
      rounds.push(heard.join(', '));
    }

    const together = 'message a, message b, microtask a, microtask b';
    const count = rounds.filter((each) => each === together).length;

    expect(count).toBeGreaterThan(ROUNDS / 2);
  });
});
