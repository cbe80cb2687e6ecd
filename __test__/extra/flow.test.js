'use strict';

const { sendAsync, waitForDrain } = require('../../lib/extra');
const { describeEach, oxws } = require('../support/implementations');
const { ends, fill, onceClosed, open } = require('./support/connections');

const MARK = 64 * 1024;
const EARLY = { code: 'ERR_STREAM_PREMATURE_CLOSE' };

/** Whether a promise is settled by now. */
async function isSettled(promise) {
  let settled = false;

  promise.then(
    () => (settled = true),
    () => (settled = true)
  );
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  return settled;
}

describeEach(ends, 'waitForDrain()', (row) => {
  test('resolves at once where nothing waits', async () => {
    const { own } = await open(row);

    await waitForDrain(own);
    own.send('hello');
    await waitForDrain(own, { threshold: 1024 });
    await waitForDrain(own);
    expect(own.bufferedAmount).toBe(0);
  });

  test('waits for a peer that does not read', async () => {
    const { own, peer } = await open(row);

    peer.pause();
    await fill(own);

    const all = waitForDrain(own);
    const some = waitForDrain(own, { threshold: MARK }).then(
      () => own.bufferedAmount
    );

    expect(await isSettled(some)).toBe(false);
    expect(await isSettled(waitForDrain(own, { threshold: 1e9 }))).toBe(true);
    peer.resume();
    expect(await some).toBeLessThanOrEqual(MARK);
    await all;
    expect(own.bufferedAmount).toBe(0);
    expect(own.listenerCount('close')).toBe(
      new Set(own.listeners('close')).size
    );
  });

  test('rejects if the socket closes first', async () => {
    const { own, peer } = await open(row);
    const closed = Promise.all([own, peer].map(onceClosed));

    peer.pause();
    await fill(own);

    const waits = [waitForDrain(own), waitForDrain(own, { threshold: MARK })];
    const results = Promise.allSettled(waits);

    own.terminate();
    for (const { reason } of await results) expect(reason).toMatchObject(EARLY);
    peer.resume();
    await closed;
    await expect(waitForDrain(own)).rejects.toMatchObject(EARLY);
  });

  test('gives up when it is told to', async () => {
    const { own, peer } = await open(row);
    const before = own.listenerCount('close');
    const reason = new Error('enough');

    peer.pause();
    await fill(own);

    const controller = new AbortController();
    const { signal } = controller;
    const wait = waitForDrain(own, { signal });
    const other = waitForDrain(own);

    controller.abort(reason);
    await expect(wait).rejects.toBe(reason);
    await expect(waitForDrain(own, { signal })).rejects.toBe(reason);
    peer.resume();
    await other;
    expect(own.listenerCount('close')).toBe(before);
  });

  test('counts what waits in JavaScript', async () => {
    const { own } = await open(row);

    own.send(new Blob(['x'.repeat(1000)]));
    expect(own.bufferedAmount).toBe(1000);
    await waitForDrain(own, { threshold: 999 });
    expect(own.bufferedAmount).toBe(0);
  });

  test('counts what is compressed', async () => {
    const deflate = { perMessageDeflate: { threshold: 0 } };
    const { own } = await open(row, { server: deflate, client: deflate });

    for (let count = 0; count < 10; count++) own.send('x'.repeat(100_000));
    await waitForDrain(own);
    expect(own.bufferedAmount).toBe(0);
  });
});

// A Duplex of the program's own has the program's timers.
const timed = ends.filter(({ route }) => route.name !== 'Duplex');

describeEach(timed, 'waitForDrain()', (row) => {
  test('is not held up by faked timers', async () => {
    const deflate = { perMessageDeflate: { threshold: 0 } };
    const { own } = await open(row, { server: deflate, client: deflate });

    jest.useFakeTimers();
    try {
      own.send('hello'.repeat(10_000));
      await waitForDrain(own);
    } finally {
      jest.useRealTimers();
    }
    expect(own.bufferedAmount).toBe(0);
  });
});

describeEach(ends, 'sendAsync()', (row) => {
  test('sends all, in order, with little of it waiting', async () => {
    const { own, peer } = await open(row);
    const chunk = Buffer.alloc(10_000);
    const count = 300;
    const received = new Promise((resolve) => {
      let next = 0;

      peer.on('message', (data) => {
        expect(data.readUInt32LE()).toBe(next);
        if (++next === count) resolve();
      });
    });

    for (let index = 0; index < count; index++) {
      chunk.writeUInt32LE(index);
      await sendAsync(own, chunk);
      expect(own.bufferedAmount).toBeLessThanOrEqual(MARK);
    }
    await received;
  });

  test('takes the options of send()', async () => {
    const { own, peer } = await open(row);
    const received = new Promise((resolve) => {
      peer.on('message', (data, isBinary) => resolve([String(data), isBinary]));
    });
    const { signal } = new AbortController();

    await sendAsync(own, Buffer.from('he'), {
      binary: false,
      fin: false,
      highWaterMark: 0,
      signal
    });
    await sendAsync(own, 'llo', {});
    expect(await received).toEqual(['hello', false]);
  });

  test('waits for a slow reader', async () => {
    const { own, peer } = await open(row);

    peer.pause();
    await fill(own);

    const sent = sendAsync(own, 'last', { highWaterMark: 1000 });

    expect(await isSettled(sent)).toBe(false);
    peer.resume();
    await sent;
    expect(own.bufferedAmount).toBeLessThanOrEqual(1000);
  });

  test('rejects once it is closed', async () => {
    const { own, peer } = await open(row);

    peer.pause();
    await fill(own);

    const sent = sendAsync(own, 'last');

    own.terminate();
    await expect(sent).rejects.toMatchObject(EARLY);
    peer.resume();
    await onceClosed(peer);
    await expect(sendAsync(own, 'later')).rejects.toMatchObject(EARLY);
  });

  test('calls a send() that was put there', async () => {
    const { own } = await open(row);
    const sent = [];

    own.send = (...args) => sent.push(args);
    await sendAsync(own, 'data', { binary: true, highWaterMark: 1 });
    expect(sent).toEqual([['data', { binary: true }]]);
  });
});

test('a client that is connecting sends nothing', async () => {
  const websocket = new oxws('ws://127.0.0.1:9');

  websocket.on('error', () => {});
  await waitForDrain(websocket);
  await expect(sendAsync(websocket, 'early')).rejects.toThrow(
    'WebSocket is not open: readyState 0 (CONNECTING)'
  );
  await onceClosed(websocket);
});

test.each([
  [{ threshold: -1 }, RangeError],
  [{ threshold: NaN }, RangeError],
  [{ threshold: '1' }, TypeError]
])('%j is refused', async (options, error) => {
  const websocket = new oxws(null, undefined, {});

  await expect(waitForDrain(websocket, options)).rejects.toThrow(error);
  await expect(
    sendAsync(websocket, '', { highWaterMark: options.threshold })
  ).rejects.toThrow(error);
});
