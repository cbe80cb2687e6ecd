'use strict';

const path = require('path');

const { anotherCopy } = require('./support/connections');
const extra = require('../../lib/extra');
const { oxws, ws } = require('../support/implementations');
const { root, runNode } = require('../support/child');
const { onRelease, trackWebSocketServer } = require('../support/resources');

const NAMES = [
  'PreparedMessage',
  'Topics',
  'broadcast',
  'connectHttp2',
  'handleConnect',
  'keepAlive',
  'messages',
  'sendAsync',
  'serveHttp2',
  'shutdown',
  'stats',
  'waitForDrain'
];

/** Calls of all functions that take a WebSocket, and a server. */
const OF_WEBSOCKETS = ['keepAlive', 'messages', 'sendAsync', 'waitForDrain'];
const OF_SERVERS = ['keepAlive', 'shutdown', 'stats'];

function evaluate(source, type) {
  return runNode([`--input-type=${type}`, '-e', source]);
}

test('has what it says, in both module systems', async () => {
  expect(Object.keys(extra).sort()).toEqual(NAMES);

  const { stdout, stderr } = await evaluate(
    `import extra, * as namespace from 'oxws/extra';
     import { createRequire } from 'module';
     const required = createRequire(import.meta.url)('oxws/extra');
     const { default: _, ...named } = namespace;
     console.log(JSON.stringify([
       extra === required,
       Object.keys(named).every((name) => named[name] === extra[name]),
       Object.keys(named).sort()
     ]));`,
    'module'
  );

  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([true, true, NAMES]);
});

test('is not loaded by those who do not ask for it', async () => {
  const { stdout } = await evaluate(
    `const { WebSocketServer } = require('oxws');
     const wss = new WebSocketServer({ noServer: true });
     console.log(Object.keys(require.cache).filter((name) =>
       /lib.extra/.test(name)).length)`,
    'commonjs'
  );

  expect(stdout).toBe('0\n');
});

test('cannot be had of plain ws', async () => {
  const { code, stderr } = await evaluate(`require('ws/extra')`, 'commonjs');

  expect(code).toBe(1);
  expect(stderr).toContain("Package subpath './extra' is not defined");
});

test('puts nothing on the classes that programs can run into', () => {
  const own = (object) =>
    Reflect.ownKeys(object).filter((key) => {
      const { enumerable } = Object.getOwnPropertyDescriptor(object, key);

      return enumerable || typeof key === 'string';
    });
  const before = [oxws, oxws.prototype, oxws.Server, oxws.Server.prototype];
  const keys = before.map(own);
  const wss = trackWebSocketServer(new oxws.Server({ noServer: true }));
  const websocket = new oxws(null, undefined, {});

  extra.keepAlive(wss).stop();
  extra.keepAlive(websocket).stop();
  expect(before.map(own)).toEqual(keys);

  for (const name of ['broadcast', 'publish', 'subscribe', ...NAMES]) {
    expect(name in websocket).toBe(false);
    expect(name in wss).toBe(false);
  }

  const names = (object) => Object.getOwnPropertyNames(object.prototype);
  const known = [...names(ws), ...names(ws.Server)];
  const added = [...names(oxws), ...names(oxws.Server)].filter(
    (name) => !known.includes(name) && !name.startsWith('_')
  );

  expect(added).toEqual([]);
});

describe('a TypeError is what comes of', () => {
  const wrong = [
    ['nothing', undefined],
    ['null', null],
    ['a string', 'ws://localhost'],
    ['an object', {}],
    ['a WebSocket of ws', new ws(null, undefined, {})]
  ];

  test.each(wrong)('%s', async (title, value) => {
    for (const name of [...OF_WEBSOCKETS, ...OF_SERVERS]) {
      await expect(async () => extra[name](value, 'data')).rejects.toThrow(
        TypeError
      );
    }
  });

  test('a server that keeps no clients', async () => {
    const wss = trackWebSocketServer(
      new oxws.Server({ noServer: true, clientTracking: false })
    );

    for (const name of OF_SERVERS) {
      await expect(async () => extra[name](wss)).rejects.toThrow(
        new TypeError(
          'Expected a WebSocketServer that keeps its clients ("clientTracking")'
        )
      );
    }
  });

  test('a server for a WebSocket, and the other way round', async () => {
    const wss = trackWebSocketServer(new oxws.Server({ noServer: true }));

    expect(() => extra.broadcast([wss], 'data')).toThrow(TypeError);
    await expect(extra.sendAsync(wss, 'data')).rejects.toThrow(TypeError);
    await expect(extra.waitForDrain(wss)).rejects.toThrow(TypeError);
    await expect(extra.shutdown(new oxws(null, undefined, {}))).rejects.toThrow(
      TypeError
    );
  });
});

test('takes WebSockets of another copy of oxws', async () => {
  const copy = anotherCopy();

  expect(copy.WebSocket).not.toBe(oxws);

  const wss = trackWebSocketServer(new copy.WebSocket.Server({ port: 0 }));
  const keeping = extra.keepAlive(wss, { pingInterval: 20, pingTimeout: 5000 });

  onRelease(() => keeping.stop());

  const received = [];
  const accepted = new Promise((resolve) => wss.once('connection', resolve));
  const client = new copy.WebSocket(`ws://localhost:${wss.address().port}`);
  const server = await accepted;
  const pinged = new Promise((resolve) => client.once('ping', resolve));

  const reading = (async () => {
    for await (const { data } of extra.messages(client)) {
      received.push(String(data));
    }
  })();

  await extra.sendAsync(server, 'one');
  await extra.waitForDrain(server);
  await pinged;
  expect(await extra.shutdown(wss)).toEqual({ closed: 1, terminated: 0 });
  await reading;
  expect(received).toEqual(['one']);
});

test('its files are published', () => {
  const { exports, files } = require('../../package.json');
  const targets = Object.values(exports['./extra']).flatMap(Object.values);

  for (const target of targets) {
    const name = path.relative(root, path.join(root, target));

    expect(files.includes(name) || (name.endsWith('.js') && name !== '')).toBe(
      true
    );
  }
});
