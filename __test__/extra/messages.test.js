'use strict';

const { messages } = require('../../lib/extra');
const { describeEach, oxws } = require('../support/implementations');
const { ends, onceClosed, open } = require('./support/connections');

/** All messages up to the end, as text. */
async function collect(iterator, list = []) {
  for await (const { data } of iterator) list.push(String(data));
  return list;
}

const listenersOf = (websocket) =>
  ['message', 'error', 'close'].map((event) => websocket.listenerCount(event));

describeEach(ends, 'messages()', (row) => {
  test('are those that come, until it is closed', async () => {
    const { own, peer } = await open(row);
    const before = listenersOf(own);
    const all = messages(own);
    const result = (async () => {
      const list = [];

      for await (const { data, isBinary } of all) {
        list.push([String(data), isBinary]);
      }
      return list;
    })();

    peer.send('one');
    peer.send(Buffer.from('two'));
    peer.send('');
    peer.close();
    expect(await result).toEqual([
      ['one', false],
      ['two', true],
      ['', false]
    ]);
    expect(await all.next()).toEqual({ done: true, value: undefined });
    expect(listenersOf(own)).toEqual(before);
  });

  test.each([1000, 1001])('end with code %i', async (code) => {
    const { own, peer } = await open(row);
    const result = collect(messages(own));

    peer.close(code);
    expect(await result).toEqual([]);
    expect(await collect(messages(own))).toEqual([]);
  });

  test('throw the code of another end', async () => {
    const { own, peer } = await open(row);
    const list = [];
    const result = collect(messages(own), list);

    peer.send('one');
    peer.close(4321, 'because');

    const failure = { closeCode: 4321, reason: 'because' };

    await expect(result).rejects.toMatchObject(failure);
    expect(list).toEqual(['one']);
    await expect(collect(messages(own))).rejects.toMatchObject(failure);
  });

  test('throw if the connection breaks', async () => {
    const { own, peer } = await open(row);
    const result = collect(messages(own));

    peer.terminate();
    await expect(result).rejects.toMatchObject({ closeCode: 1006 });
  });

  test('pause the peer while nobody takes them', async () => {
    const { own, peer } = await open(row);
    const all = messages(own);
    const count = 400;
    let isDone = false;

    const sent = (async () => {
      for (let index = 0; index < count; index++) {
        const data = Buffer.alloc(64 * 1024, String(index));

        await new Promise((resolve) => peer.send(data, resolve));
      }
      isDone = true;
      peer.close();
    })();

    while (!own.isPaused) await new Promise(setImmediate);
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(own.isPaused).toBe(true);
    if (!row.name.startsWith('Duplex')) expect(isDone).toBe(false);

    let index = 0;

    for await (const { data } of all) {
      expect(data.toString('latin1', 0, 4)).toBe(
        Buffer.alloc(4, String(index++)).toString()
      );
    }
    expect(index).toBe(count);
    await sent;
  });

  test('let go when the loop is left', async () => {
    const { own, peer } = await open(row);
    const before = listenersOf(own);

    for (let index = 0; index < 100; index++) peer.send(String(index));

    for await (const { data } of messages(own)) {
      if (String(data) === '3') break;
    }
    expect(own.isPaused).toBe(false);
    expect(listenersOf(own)).toEqual(before);

    const next = new Promise((resolve) => {
      own.on('message', (data) => String(data) === 'last' && resolve());
    });

    peer.send('last');
    await next;
  });

  test('leave a WebSocket paused that was paused before', async () => {
    const { own, peer } = await open(row);

    own.pause();

    const all = messages(own);

    peer.send('one');
    await all.return();
    expect(own.isPaused).toBe(true);
  });
});

test('several who wait each get one', async () => {
  const { own, peer } = await open(ends[0]);
  const all = messages(own);
  const waits = [all.next(), all.next(), all.next()];

  peer.send('one');
  peer.send('two');
  peer.close(4000);

  const results = await Promise.allSettled(waits);

  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected'
  ]);
  expect(await all.next()).toMatchObject({ done: true });
});

test('a client that cannot connect throws its error', async () => {
  const client = new oxws('ws://127.0.0.1:9');
  const closed = onceClosed(client);

  await expect(collect(messages(client))).rejects.toMatchObject({
    code: 'ECONNREFUSED'
  });
  await closed;
});
