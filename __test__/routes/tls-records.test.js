'use strict';

const { once } = require('events');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  routedImplementations,
  ws
} = require('../support/implementations');
const { RawPeer, rawServer } = require('../support/raw');
const { routes } = require('../support/routes');
const {
  KEY,
  OPCODE,
  frame,
  switchingProtocols,
  upgradeRequest
} = require('../support/wire');
const { middleTo } = require('./support/middle');

const rows = routedImplementations
  .filter(({ route }) => route === 'TLS')
  .flatMap((row) => [
    { ...row, name: `${row.name}, server`, open: serve },
    { ...row, name: `${row.name}, client`, open: connect }
  ]);

/** A server's WebSocket, and how its client sends records all at once. */
async function serve({ lib: { WebSocketServer }, route }, onWebSocket) {
  const { wss, port } = await listen({ WebSocketServer, route });
  const proxy = await middleTo(port);
  const socket = routes.TLS.connect(proxy.port);

  wss.on('connection', onWebSocket);
  await once(socket, 'secureConnect');

  const peer = new RawPeer(socket);

  peer.write(upgradeRequest());
  await peer.head();
  return sender(peer, await proxy.middle, 'up');
}

/** The same of a client. */
async function connect({ lib: { WebSocket }, route }, onWebSocket) {
  let onPeer;
  const accepted = new Promise((resolve) => (onPeer = resolve));
  const { port } = await rawServer((peer, head) => {
    peer.write(switchingProtocols(head));
    onPeer(peer);
  }, route);
  const proxy = await middleTo(port);
  const client = dial({ WebSocket, route }, `wss://127.0.0.1:${proxy.port}`);

  client.on('open', () => onWebSocket(client));
  await once(client, 'open');
  return sender(await accepted, await proxy.middle, 'down');
}

/** Sends each list of frames as one record, and all records as one segment. */
function sender(peer, middle, way) {
  return async (...lists) => {
    const records = [];

    middle.hold(way);
    for (const list of lists) {
      peer.write(...list);
      records.push(await middle.take(way));
    }
    middle.release(way);
    (way === 'up' ? middle.far : middle.near).write(Buffer.concat(records));
  };
}

/** Opens one, and has it get each text in a record of its own. */
async function receive(row, lists, onWebSocket) {
  const send = await row.open(row, onWebSocket);
  const key = row.open === serve ? KEY : null;
  const frames = lists.map((texts) =>
    texts.map((payload) => frame({ opcode: OPCODE.text, payload, key }))
  );

  await send(...frames);
}

/** What becomes of the messages in a listener that does as `act` says. */
async function traceOf(row, lists, act = () => {}) {
  const trace = [];
  const count = lists.flat().length;
  let received = 0;
  const done = new Promise((resolve) => {
    const onWebSocket = (websocket) => {
      websocket.on('message', (data) => {
        trace.push(`message ${data}`);
        process.nextTick(() => trace.push('tick'));
        Promise.resolve().then(() => trace.push('microtask'));
        act(websocket, trace);
        if (++received === count) setImmediate(resolve);
      });
    };

    receive(row, lists, onWebSocket).catch(resolve);
  });

  expect(await done).toBe(undefined);
  return trace;
}

const asWithWs = (row) => ({ ...row, lib: ws });

describeEach(rows, 'TLS records that come at once', (row) => {
  test('each have ticks and microtasks after their messages', async () => {
    const lists = [['a'], ['b', 'c'], ['d']];
    const ends = ['tick', 'microtask'];
    const trace = await traceOf(row, lists);

    expect(trace).toEqual([
      ...['message a', ...ends],
      ...['message b', 'message c', 'tick', ...ends, 'microtask'],
      ...['message d', ...ends]
    ]);
    expect(trace).toEqual(await traceOf(asWithWs(row), lists));
  });

  test('are told before the immediates of their listeners', async () => {
    const lists = [['a'], ['b'], ['c']];
    const act = (websocket, trace) => {
      setImmediate(() => trace.push('immediate'));
    };
    const trace = await traceOf(row, lists, act);

    expect(trace.filter((each) => /^[mi]\w+e/.test(each)).slice(0, 4)).toEqual([
      'message a',
      'message b',
      'message c',
      'immediate'
    ]);
  });

  test('wait one by one for resume()', async () => {
    const lists = [['a', 'b'], ['c'], ['d']];
    const act = (websocket, trace) => {
      if (websocket.isPaused) return;

      websocket.pause();
      setImmediate(() => {
        trace.push('resume');
        websocket.resume();
      });
    };
    const trace = await traceOf(row, lists, act);

    expect(trace.filter((each) => /^(message|resume)/.test(each))).toEqual([
      ...['message a', 'message b', 'resume'],
      ...['message c', 'resume', 'message d', 'resume']
    ]);
    expect(trace).toEqual(await traceOf(asWithWs(row), lists, act));
  });

  test('can be awaited one by one', async () => {
    const heard = [];
    const lists = ['a', 'b', 'c', 'd'].map((text) => [text]);

    await new Promise((resolve, reject) => {
      receive(row, lists, async (websocket) => {
        while (heard.length < lists.length) {
          const [data] = await once(websocket, 'message');

          heard.push(String(data));
        }
        resolve();
      }).catch(reject);
    });
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
  });

  test('that hold a part of a frame each bring one message', async () => {
    const text = 'x'.repeat(300);
    const key = row.open === serve ? KEY : null;
    const bytes = frame({ opcode: OPCODE.text, payload: text, key });
    const message = new Promise((resolve, reject) => {
      row
        .open(row, (websocket) => {
          websocket.once('message', (data) => resolve(String(data)));
        })
        .then((send) =>
          send(...[...bytes].map((byte) => [Buffer.from([byte])]))
        )
        .catch(reject);
    });

    expect(await message).toBe(text);
  });
});
