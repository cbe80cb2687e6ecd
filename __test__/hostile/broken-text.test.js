'use strict';

const { once } = require('events');

const { dialRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations,
  ws
} = require('../support/implementations');
const { rawClient } = require('../support/raw');
const { trace } = require('../support/trace');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');
const { echoServer } = require('./support/echo-server');

const bytesOf = (hex) => Buffer.from(hex, 'hex');

/** The shortest and the longest of each width, and all widths together. */
const texts = [
  Buffer.from('aé€𝄞z'),
  bytesOf('c280dfbf'),
  bytesOf('e0a080ed9fbf'),
  bytesOf('ee8080efbfbf'),
  bytesOf('f0908080f48fbfbf')
];

/**
 * `[what, bytes, length]`: no byte mends what the first `length` of them are.
 * None: the text is not over.
 */
const broken = [
  ['a continuation alone', bytesOf('ceba80'), 3],
  ['a character that does not begin anew', bytesOf('e282e282ac'), 3],
  ['a character that ends early', bytesOf('f09d847a'), 4],
  ['a byte that never occurs', bytesOf('cebafe7a'), 3],
  ['five bytes', bytesOf('f888808080'), 1],
  ['an overlong NUL', bytesOf('c080'), 1],
  ['two bytes, overlong', bytesOf('7ac1bf'), 2],
  ['three bytes, overlong', bytesOf('e09fbf'), 2],
  ['four bytes, overlong', bytesOf('f08fbfbf'), 2],
  ['a surrogate', bytesOf('cebaeda080'), 4],
  ['a pair of surrogates', bytesOf('eda0bdedb880'), 2],
  ['more than U+10FFFF', bytesOf('cebaf4908080'), 4],
  ['much more than U+10FFFF', bytesOf('f7bfbfbf'), 1],
  ['two bytes, cut off', bytesOf('cebac3')],
  ['three bytes, cut off', bytesOf('e282')],
  ['four bytes, cut off', bytesOf('f09d84')]
];

const upTo = (last) => Array.from({ length: last + 1 }, (_, index) => index);

/** Each role of ours with the key of its raw peer. */
const roles = [
  {
    role: 'server',
    key: KEY,
    async open(row) {
      const { wss, port, serves } = await echoServer(row);
      const connect = async () => {
        const [[websocket], peer] = await Promise.all([
          once(wss, 'connection'),
          rawClient(port, row)
        ]);

        return { websocket, peer };
      };

      return { connect, serves };
    }
  },
  {
    role: 'client',
    key: undefined,
    open: (row) => ({
      async connect() {
        const connection = await dialRaw(row, { perMessageDeflate: false });
        const { websocket } = connection;

        websocket.on('message', (data, isBinary) => {
          websocket.send(data, { binary: isBinary });
        });
        return connection;
      },
      serves() {}
    })
  }
];

for (const { role, key, open } of roles) {
  const ping = frame({ opcode: OPCODE.ping, key });

  /** A text in fragments, cut at these places. */
  function fragments(text, ...cuts) {
    return [0, ...cuts].map((start, index) =>
      frame({
        opcode: index === 0 ? OPCODE.text : OPCODE.continuation,
        fin: index === cuts.length,
        payload: text.subarray(start, cuts[index]),
        key
      })
    );
  }

  /** Writes bytes as two segments: the first has been read when it resolves. */
  async function writeCut(peer, bytes, cut) {
    peer.write(ping, bytes.subarray(0, cut));
    expect((await peer.frame()).opcode).toBe(OPCODE.pong);
    peer.write(bytes.subarray(cut));
  }

  /** What a connection comes to that got a text that is none. */
  async function expectRefusal({ websocket, peer }, write) {
    const events = trace(websocket);
    const closed = new Promise((resolve) => websocket.on('close', resolve));

    await write(peer);
    expect(await peer.frame()).toMatchObject({
      opcode: OPCODE.close,
      payload: closePayload(1007)
    });
    expect(await peer.frame()).toBe(null);
    await closed;
    expect(events.filter(({ event }) => event !== 'ping')).toEqual([
      {
        event: 'error',
        readyState: 2,
        class: 'Error',
        code: 'WS_ERR_INVALID_UTF8',
        message: 'Invalid WebSocket frame: invalid UTF-8 sequence'
      },
      { event: 'close', readyState: 3, code: 1006, reason: 'Buffer(0) ' }
    ]);
  }

  describeEach(routedImplementations, `a text for a ${role}`, (row) => {
    test('may be cut over fragments anywhere', async () => {
      const { connect, serves } = await open(row);
      const { peer } = await connect();

      for (const text of texts) {
        for (const second of upTo(text.length)) {
          for (const first of upTo(second)) {
            peer.write(...fragments(text, first, second));
            expect((await peer.frame()).payload).toEqual(text);
          }
        }
      }
      await serves();
    });

    test('may be cut over segments anywhere', async () => {
      const { connect, serves } = await open(row);
      const { peer } = await connect();

      for (const text of texts) {
        for (const place of [0, 1, 2]) {
          const bytes = Buffer.concat(fragments(text, place));

          for (let cut = 1; cut < bytes.length; cut++) {
            await writeCut(peer, bytes, cut);
            expect((await peer.frame()).payload).toEqual(text);
          }
        }
      }
      await serves();
    });

    test.each(broken)(
      'with %s is refused, cut over fragments anywhere',
      async (_, text) => {
        const { connect, serves } = await open(row);

        for (const cut of upTo(text.length)) {
          await expectRefusal(await connect(), (peer) => {
            peer.write(...fragments(text, cut));
          });
        }
        await serves();
      }
    );

    test.each(broken)(
      'with %s is refused, cut over segments anywhere',
      async (_, text) => {
        const { connect, serves } = await open(row);
        const [bytes] = fragments(text);

        for (let left = text.length; left > 0; left--) {
          await expectRefusal(await connect(), (peer) =>
            writeCut(peer, bytes, bytes.length - left)
          );
        }
        await serves();
      }
    );

    test.each(broken.filter(([, , length]) => length !== undefined))(
      'with %s is refused before it is over',
      async (_, text, length) => {
        const { connect, serves } = await open(row);
        const [whole] = fragments(text);
        const [fragment] = fragments(text.subarray(0, length), length);

        for (const bytes of [
          fragment,
          whole.subarray(0, whole.length - text.length + length)
        ]) {
          const connection = await connect();

          // ws looks at a text once all of it has come.
          if (row.lib === ws) {
            const { peer } = connection;

            if (bytes !== fragment) continue;
            peer.write(fragment, ping);
            expect((await peer.frame()).opcode).toBe(OPCODE.pong);
          } else {
            await expectRefusal(connection, (peer) => peer.write(bytes));
          }
        }
        await serves();
      }
    );
  });
}
