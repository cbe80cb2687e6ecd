'use strict';

const { once } = require('events');

const { kConnection } = require('../../lib/constants');
const { keepAlive } = require('../../lib/extra');
const { runInChild } = require('../support/child');
const { dialRaw, serveRaw } = require('../support/connection');
const {
  describeEach,
  implementations,
  oxws,
  routedImplementations
} = require('../support/implementations');
const { until } = require('../support/waiting');

/** More than a kernel takes for a peer that does not read. */
const MESSAGES = 48;
const MESSAGE = Buffer.alloc(500_000, 'x');

/** With ws close() does nothing there, and the connection is open for ever. */
const ours = routedImplementations.filter(({ lib }) => lib === oxws);
const ends = { server: serveRaw, client: dialRaw };

/** A peer that has sent FIN, and has not read what waits for it. */
async function endUnread(row, end, closeTimeout) {
  const { websocket, peer } = await ends[end](row, {
    closeTimeout,
    perMessageDeflate: false
  });
  const results = [];

  peer.socket.pause();
  for (let index = 0; index < MESSAGES; index++) {
    websocket.send(MESSAGE, (err) => results.push(err ? err.code : null));
  }
  peer.staysOpen = true;
  peer.socket.end();
  await until(() => websocket.readyState === websocket.CLOSING);
  expect(websocket.bufferedAmount).toBeGreaterThan(0);

  return { websocket, peer, results };
}

describeEach(
  ours,
  'close() after the end of a peer that does not read',
  (row) => {
    test.each(Object.keys(ends))(
      'ends the connection after closeTimeout, %s',
      async (end) => {
        const { websocket, results } = await endUnread(row, end, 50);
        const closed = once(websocket, 'close');

        websocket.close();
        websocket.close();

        const [code, reason] = await closed;

        expect([code, String(reason)]).toEqual([1006, '']);
        // Each callback is called, with an error or, by Node's TLS, without.
        await until(() => results.length === MESSAGES);
      }
    );

    test.each(Object.keys(ends))(
      'is not needed with keepAlive(), %s',
      async (end) => {
        const { websocket } = await endUnread(row, end, 30_000);
        const closed = once(websocket, 'close');
        const keeping = keepAlive(websocket, {
          pingInterval: 30,
          pingTimeout: 60
        });
        const [code] = await closed;

        keeping.stop();
        expect(code).toBe(1006);
      }
    );

    test.each(Object.keys(ends))(
      'leaves a slow reader more than closeTimeout, %s',
      async (end) => {
        const { websocket, peer, results } = await endUnread(row, end, 30_000);
        const closed = once(websocket, 'close');
        let read = 0;

        websocket.close();

        const { _closeTimer: timer } = websocket;

        peer.socket.removeAllListeners('data');
        // More than what the kernels of both ends hold, and not all.
        await until(() => {
          read += peer.socket.read()?.length ?? 0;
          return read > (MESSAGES * MESSAGE.length) / 2;
        });
        // The time is over.
        timer._onTimeout();
        expect(websocket._closeTimer).not.toBe(timer);
        expect(websocket._socket.destroyed).toBe(false);
        peer.socket.resume();

        const [code] = await closed;

        expect(code).toBe(1006);
        expect(results).toEqual(Array(MESSAGES).fill(null));
      }
    );

    test.each(Object.keys(ends))(
      'leaves it the time to read all, %s',
      async (end) => {
        const { websocket, peer, results } = await endUnread(row, end, 30_000);
        const closed = once(websocket, 'close');

        websocket.close();
        peer.socket.removeAllListeners('data').resume();

        const [code] = await closed;

        expect(code).toBe(1006);
        expect(results).toEqual(Array(MESSAGES).fill(null));
      }
    );
  }
);

describeEach(ours, 'keepAlive()', (row) => {
  afterEach(() => jest.restoreAllMocks());

  test.each(Object.keys(ends))(
    'spares a peer that answers no ping, and reads slowly, %s',
    async (end) => {
      const { websocket, peer } = await ends[end](row, {
        perMessageDeflate: false
      });
      let now = performance.now();
      let looks = 0;

      jest.spyOn(performance, 'now').mockImplementation(() => now);
      // It asks for this when it looks whether the peer is alive.
      Object.defineProperty(websocket, 'isPaused', {
        get: () => looks++ < 0
      });
      peer.socket.removeAllListeners('data').pause();
      for (let index = 0; index < MESSAGES; index++) websocket.send(MESSAGE);

      const keeping = keepAlive(websocket, {
        pingInterval: 100,
        pingTimeout: 200
      });

      for (let step = 0; step < 6; step++) {
        const connection = websocket[kConnection];
        const { bytesTaken } = connection;

        // The kernel takes something, then no answer comes for longer than an
        // interval.
        await until(() => {
          peer.socket.read(50_000);
          return connection.bytesTaken > bytesTaken;
        });
        now += 150;

        const looked = looks;

        await until(() => looks > looked);
      }
      expect(websocket.bufferedAmount).toBeGreaterThan(0);
      keeping.stop();
      expect(websocket.readyState).toBe(websocket.OPEN);
      websocket.terminate();
    }
  );
});

describeEach(implementations, 'close() over a stream that has ended', (row) => {
  test('keeps no process alive', async () => {
    const { code, stdout, stderr } = await runInChild(row.name, (WebSocket) => {
      const { Duplex } = require('stream');
      const websocket = new WebSocket(null, undefined, {
        closeTimeout: 60000
      });
      // It takes nothing.
      const stream = new Duplex({ read() {}, write() {} });

      websocket.setSocket(stream, Buffer.alloc(0), {});
      websocket.send('unread');
      websocket.send('unread');
      stream.on('end', () => {
        setImmediate(() => {
          console.log(websocket.readyState);
          websocket.close();
        });
      });
      stream.push(null);
      process.on('exit', () => console.log(websocket.readyState));
    });

    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '2\n2\n',
      stderr: ''
    });
  });
});
