'use strict';

const { compressingRoles, deflate } = require('../support/compression');
const { dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const { ping, text } = OPCODE;

const sides = [
  { side: 'server', open: serveRaw, key: KEY },
  { side: 'client', open: dialRaw, key: undefined }
];

/** What happens from the first message or ping on, tick by tick, up to 'close'. */
function traceTicks(websocket, onTick = () => {}) {
  const log = [];
  let ticks = 0;
  const tick = () => {
    log.push(++ticks);
    onTick(ticks);
    if (ticks < 4) process.nextTick(tick);
  };
  const begin = (event, data) => {
    if (log.length === 0) process.nextTick(tick);
    log.push(`${event} ${data}`);
  };

  websocket.on('message', (data) => begin('message', data));
  websocket.on('ping', (data) => begin('ping', data));
  websocket.on('error', () => log.push(`error ${websocket.readyState}`));

  return new Promise((resolve) => {
    websocket.on('close', (code) => resolve([...log, `close ${code}`]));
  });
}

for (const { side, open, key } of sides) {
  const message = (payload) => frame({ opcode: text, payload, key });
  const bad = frame({ opcode: 3, key });

  describeEach(
    routedImplementations,
    `a violation by a ${side}'s peer`,
    (row) => {
      test.each([
        ['a message', [message('a')], ['message a']],
        ['two', [message('a'), message('b')], ['message a', 'message b']],
        ['a ping', [frame({ opcode: ping, payload: 'p', key })], ['ping p']]
      ])('is told two ticks after %s', async (_, frames, events) => {
        const { websocket, peer } = await open(row);
        const traced = traceTicks(websocket);

        peer.write(...frames, bad);
        expect(await traced).toEqual([
          ...events,
          1,
          2,
          'error 2',
          3,
          4,
          'close 1006'
        ]);
      });

      test('is told two ticks after what was kept with it', async () => {
        const { websocket, peer } = await open(row);
        const paused = new Promise((resolve) => {
          websocket.once('message', () => {
            websocket.pause();
            resolve();
          });
        });

        peer.write(message('first'));
        await paused;

        const traced = traceTicks(websocket);

        peer.write(message('a'), bad);
        setImmediate(() => websocket.resume());
        expect(await traced).toEqual([
          'message a',
          1,
          2,
          'error 2',
          3,
          4,
          'close 1006'
        ]);
      });

      test('is told a tick after a message that has a macrotask', async () => {
        const { websocket, peer } = await open(row, {
          allowSynchronousEvents: false
        });
        const traced = traceTicks(websocket);

        peer.write(message('a'), bad);
        expect(await traced).toEqual([
          'message a',
          1,
          'error 2',
          2,
          3,
          4,
          'close 1006'
        ]);
      });

      test('lets what is sent before it is told leave', async () => {
        const { websocket, peer } = await open(row);
        const traced = traceTicks(websocket, (tick) =>
          websocket.send(`${tick}`)
        );

        peer.write(message('a'), bad);
        expect(String((await peer.frame()).payload)).toBe('1');
        expect(String((await peer.frame()).payload)).toBe('2');
        expect((await peer.frame()).payload).toEqual(closePayload(1002));
        expect(await peer.frame()).toBe(null);
        await traced;
      });

      test('has the WebSocket CLOSING though its socket is destroyed', async () => {
        const { websocket, peer } = await open(row);
        const traced = traceTicks(websocket);

        websocket.on('message', () => websocket._socket.destroy());
        peer.write(message('a'), bad);
        expect(await traced).toEqual([
          'message a',
          1,
          2,
          'error 2',
          3,
          4,
          'close 1006'
        ]);
      });
    }
  );
}

for (const { role, key, open } of compressingRoles) {
  const compressed = frame({
    opcode: text,
    rsv: 4,
    payload: deflate('a'),
    key
  });

  describeEach(
    routedImplementations,
    `a violation by a ${role}'s peer`,
    (row) => {
      test('is told a tick after a compressed message', async () => {
        const { websocket, peer } = await open(row);
        const traced = traceTicks(websocket);

        peer.write(compressed, frame({ opcode: 3, key }));
        expect(await traced).toEqual([
          'message a',
          1,
          'error 2',
          2,
          3,
          4,
          'close 1006'
        ]);
      });

      test('is told two ticks after one that came before', async () => {
        const { websocket, peer } = await open(row);
        const received = new Promise((resolve) => {
          websocket.once('message', resolve);
        });

        peer.write(compressed);
        await received;

        const traced = traceTicks(websocket);

        peer.write(
          frame({ opcode: text, payload: 'b', key }),
          frame({ opcode: 3, key })
        );
        expect(await traced).toEqual([
          'message b',
          1,
          2,
          'error 2',
          3,
          4,
          'close 1006'
        ]);
      });
    }
  );
}
