'use strict';

const { once } = require('events');

const { connect, dialRaw, listen, serveRaw } = require('../support/connection');
const {
  describeEach,
  routedImplementations,
  routedPairs
} = require('../support/implementations');
const { rawClient } = require('../support/raw');
const { closePayload, frame, KEY, OPCODE } = require('../support/wire');

const roles = [
  { role: 'server', open: serveRaw, key: KEY },
  { role: 'client', open: dialRaw, key: undefined }
];

/** Notes a name now, in the next tick, in a microtask and in a turn. */
function noteAll(order, name, withImmediate = true) {
  order.push(`event ${name}`);
  process.nextTick(() => order.push(`tick ${name}`));
  Promise.resolve().then(() => order.push(`microtask ${name}`));
  if (withImmediate) setImmediate(() => order.push(`immediate ${name}`));
}

for (const { role, open, key } of roles) {
  describeEach(routedImplementations, `the events of a ${role}`, (row) => {
    const text = (payload) => frame({ opcode: OPCODE.text, payload, key });
    const ping = (payload) => frame({ opcode: OPCODE.ping, payload, key });

    test('of one segment come before ticks and microtasks', async () => {
      const { websocket, peer } = await open(row);
      const order = [];
      const finished = new Promise((resolve) => {
        websocket.on('ping', (data) => noteAll(order, data));
        websocket.on('message', (data) => {
          noteAll(order, data);
          if (String(data) === '4') setImmediate(resolve);
        });
      });

      peer.write(text('1'), ping('2'), text('3'), text('4'));
      await finished;
      expect(order).toEqual([
        ...['1', '2', '3', '4'].map((name) => `event ${name}`),
        ...['1', '2', '3', '4'].map((name) => `tick ${name}`),
        ...['1', '2', '3', '4'].map((name) => `microtask ${name}`),
        ...['1', '2', '3', '4'].map((name) => `immediate ${name}`)
      ]);
    });

    test('come one a turn without allowSynchronousEvents', async () => {
      const { websocket, peer } = await open(row, {
        allowSynchronousEvents: false
      });
      const order = [];
      const finished = once(websocket, 'close');

      for (const event of ['message', 'ping', 'pong']) {
        websocket.on(event, (data) => noteAll(order, data, false));
      }
      peer.write(
        text('1'),
        ping('2'),
        frame({ opcode: OPCODE.pong, payload: '3', key }),
        text('4'),
        frame({ opcode: OPCODE.binary, payload: '5', key }),
        frame({ opcode: OPCODE.close, payload: closePayload(1000), key })
      );
      expect((await finished)[0]).toBe(1000);
      expect(order).toEqual(
        ['1', '2', '3', '4', '5'].flatMap((name) => [
          `event ${name}`,
          `tick ${name}`,
          `microtask ${name}`
        ])
      );
    });

    test('keep the order of the wire', async () => {
      const { websocket, peer } = await open(row);
      const events = [];

      for (const name of ['message', 'ping', 'pong', 'close']) {
        websocket.on(name, (data) => events.push(`${name} ${data}`));
      }
      peer.write(
        ping('1'),
        text('2'),
        frame({ opcode: OPCODE.pong, payload: '3', key }),
        text('4'),
        ping('5'),
        frame({ opcode: OPCODE.close, payload: closePayload(1000), key })
      );
      await once(websocket, 'close');
      expect(events).toEqual([
        'ping 1',
        'message 2',
        'pong 3',
        'message 4',
        'ping 5',
        'close 1000'
      ]);
    });

    test('reach a listener added in the listener before', async () => {
      const { websocket, peer } = await open(row);
      const received = [];
      const finished = once(websocket, 'close');

      websocket.once('message', () => {
        websocket.once('message', (data) => {
          received.push(`second ${data}`);
          websocket.on('message', (data) => received.push(`third ${data}`));
        });
      });
      peer.write(
        text('1'),
        text('2'),
        text('3'),
        frame({ opcode: OPCODE.close, key })
      );
      await finished;
      expect(received).toEqual(['second 2', 'third 3']);
    });

    test('go on after close() until the close frame', async () => {
      const { websocket, peer } = await open(row);
      const received = [];
      const finished = once(websocket, 'close');

      websocket.on('message', (data) => {
        received.push(String(data));
        websocket.close(1000);
      });
      peer.write(text('1'), text('2'), frame({ opcode: OPCODE.close, key }));
      expect((await finished)[0]).toBe(1005);
      expect(received).toEqual(['1', '2']);
    });
  });
}

describeEach(routedImplementations, 'two connections', ({ lib, route }) => {
  test('have their events and ticks apart', async () => {
    const { wss, port } = await listen({ ...lib, route });
    const order = [];
    const finished = new Promise((resolve) => {
      wss.on('connection', (websocket, request) => {
        const name = request.url;

        websocket.on('message', (data) => {
          noteAll(order, `${name} ${data}`, false);
          if (order.filter((entry) => entry.startsWith('event')).length === 4) {
            setImmediate(resolve);
          }
        });
      });
    });
    const peers = await Promise.all(
      ['/a', '/b'].map((path) => rawClient(port, { route, path }))
    );

    for (const peer of peers) {
      peer.write(
        frame({ opcode: OPCODE.text, payload: '1', key: KEY }),
        frame({ opcode: OPCODE.text, payload: '2', key: KEY })
      );
    }
    await finished;

    const chunk = (name) =>
      ['event', 'tick', 'microtask'].flatMap((kind) => [
        `${kind} ${name} 1`,
        `${kind} ${name} 2`
      ]);

    expect([
      [...chunk('/a'), ...chunk('/b')],
      [...chunk('/b'), ...chunk('/a')]
    ]).toContainEqual(order);
  });
});

describeEach(routedImplementations, 'the first message', (row) => {
  test('that comes with the 101 waits for open', async () => {
    const order = [];
    const bytes = ['1', '2'].map((payload) =>
      frame({ opcode: OPCODE.text, payload })
    );
    const { websocket } = await dialRaw(
      row,
      {},
      {
        early: Buffer.concat(bytes),
        onWebSocket: (websocket) => {
          websocket.on('upgrade', () => order.push('upgrade'));
          websocket.on('open', () => order.push('open'));
          websocket.on('message', (data) => order.push(String(data)));
        }
      }
    );

    while (order.length < 4) await once(websocket, 'message');
    expect(order).toEqual(['upgrade', 'open', '1', '2']);
  });

  test('that comes with the request waits for connection', async () => {
    const order = [];

    await serveRaw(
      row,
      {},
      {
        request: {
          after: frame({ opcode: OPCODE.text, payload: '1', key: KEY })
        },
        onWebSocket: (websocket) => {
          order.push('connection');
          websocket.on('message', (data) => order.push(String(data)));
        }
      }
    );
    while (order.length < 2) await new Promise(setImmediate);
    expect(order).toEqual(['connection', '1']);
  });
});

describeEach(routedPairs, 'a whole conversation', (pair) => {
  test('answers each message in its turn', async () => {
    const { client, server } = await connect(pair);
    const received = [];
    const finished = new Promise((resolve) => {
      client.on('message', (data) => {
        received.push(String(data));
        if (received.length === 300) resolve();
      });
    });

    server.on('message', (data) => {
      server.send(`now ${data}`);
      process.nextTick(() => server.send(`tick ${data}`));
      Promise.resolve().then(() => server.send(`microtask ${data}`));
    });
    for (let index = 0; index < 100; index++) {
      client.send(`${index}`);
      if (index % 10 === 9) await new Promise(setImmediate);
    }
    await finished;
    for (const kind of ['now', 'tick', 'microtask']) {
      expect(
        received
          .filter((entry) => entry.startsWith(kind))
          .map((entry) => Number(entry.split(' ')[1]))
      ).toEqual(Array.from({ length: 100 }, (_, index) => index));
    }
  });
});

describeEach(routedPairs.filter(hasOneLibrary), 'two ends here', (pair) => {
  // So what Node.js itself reads keeps up with them.
  test('hear each other in a later turn', async () => {
    const turns = [];
    let turn = 0;
    let immediate = setImmediate(function count() {
      turn++;
      immediate = setImmediate(count);
    });

    try {
      const { client } = await connect(pair, {
        onServer: (server) =>
          server.on('message', () => {
            turns.push(turn);
            server.send('answer');
          }),
        onClient: (websocket) =>
          websocket.on('open', () => {
            turns.push(turn);
            websocket.send('x');
          })
      });

      await once(client, 'message');
      turns.push(turn);
    } finally {
      clearImmediate(immediate);
    }
    expect(turns).toEqual([...new Set(turns)]);
  });
});

function hasOneLibrary({ WebSocket, WebSocketServer }) {
  return (
    new WebSocketServer({ noServer: true }).options.WebSocket === WebSocket
  );
}
