'use strict';

const { EventEmitter } = require('events');
const path = require('path');

const {
  describeEach,
  implementations,
  oxws,
  ws
} = require('../support/implementations');
const { root, runNode } = require('../support/child');
const { trackWebSocketServer } = require('../support/resources');

/** Names, kinds and flags of the properties that programs may use. */
function shapeOf(object, names = Object.getOwnPropertyNames(object)) {
  const shape = {};

  for (const name of names) {
    if (name.startsWith('_')) continue;

    const descriptor = Object.getOwnPropertyDescriptor(object, name);

    if (descriptor === undefined) continue;

    const { value, get, set, ...flags } = descriptor;

    shape[name] = {
      ...flags,
      kind: get ? 'accessor' : typeof value,
      length: typeof value === 'function' ? value.length : undefined,
      settable: get ? set !== undefined : undefined
    };
  }
  return shape;
}

describeEach(implementations, 'the package', ({ lib: WebSocket }) => {
  test('is the class with everything else on it', () => {
    expect(typeof WebSocket).toBe('function');
    expect(WebSocket.WebSocket).toBe(WebSocket);
    expect(WebSocket.Server).toBe(WebSocket.WebSocketServer);
    expect(Object.keys(WebSocket).sort()).toEqual([
      'CLOSED',
      'CLOSING',
      'CONNECTING',
      'OPEN',
      'PerMessageDeflate',
      'Receiver',
      'Sender',
      'Server',
      'WebSocket',
      'WebSocketServer',
      'createWebSocketStream',
      'extension',
      'subprotocol'
    ]);
  });

  test('has classes of these names and lengths', () => {
    const { WebSocketServer, Receiver, Sender, PerMessageDeflate } = WebSocket;

    expect([WebSocket.name, WebSocket.length]).toEqual(['WebSocket', 3]);
    expect([WebSocketServer.name, WebSocketServer.length]).toEqual([
      'WebSocketServer',
      2
    ]);
    expect(Receiver.name).toBe('Receiver');
    expect(Sender.name).toBe('Sender');
    expect(PerMessageDeflate.name).toBe('PerMessageDeflate');
    expect(PerMessageDeflate.extensionName).toBe('permessage-deflate');
    expect(WebSocket.createWebSocketStream.name).toBe('createWebSocketStream');
    expect(Object.keys(WebSocket.extension).sort()).toEqual([
      'format',
      'parse'
    ]);
    expect(Object.keys(WebSocket.subprotocol)).toEqual(['parse']);
  });

  test('derives from EventEmitter', () => {
    const wss = trackWebSocketServer(
      new WebSocket.WebSocketServer({ noServer: true })
    );

    expect(WebSocket.prototype).toBeInstanceOf(EventEmitter);
    expect(wss).toBeInstanceOf(EventEmitter);
  });

  test.each([
    ['CONNECTING', 0],
    ['OPEN', 1],
    ['CLOSING', 2],
    ['CLOSED', 3]
  ])('has the constant %s', (name, value) => {
    for (const object of [WebSocket, WebSocket.prototype]) {
      expect(Object.getOwnPropertyDescriptor(object, name)).toEqual({
        value,
        enumerable: true,
        writable: false,
        configurable: false
      });
    }
  });

  test.each([
    ['binaryType', true],
    ['bufferedAmount', false],
    ['extensions', false],
    ['isPaused', false],
    ['onclose', true],
    ['onerror', true],
    ['onmessage', true],
    ['onopen', true],
    ['protocol', false],
    ['readyState', false],
    ['url', false]
  ])('has the attribute %s on the prototype', (name, isSettable) => {
    const descriptor = Object.getOwnPropertyDescriptor(
      WebSocket.prototype,
      name
    );

    expect(descriptor).toMatchObject({ enumerable: true, configurable: true });
    expect(typeof descriptor.get).toBe('function');
    expect(typeof descriptor.set).toBe(isSettable ? 'function' : 'undefined');
  });
});

describe('the shape of oxws', () => {
  test.each([
    'PerMessageDeflate',
    'Receiver',
    'Sender',
    'WebSocket',
    'WebSocketServer'
  ])('has the enumerable members of a %s and no more', (name) => {
    const [expected, actual] = [ws, oxws].map((lib) =>
      Object.keys(lib[name].prototype).sort()
    );

    expect(actual).toEqual(expected);
  });

  test('has all the methods of a WebSocket', () => {
    expect(shapeOf(oxws.prototype)).toMatchObject(shapeOf(ws.prototype));
  });

  test('has all the methods of a WebSocketServer', () => {
    expect(shapeOf(oxws.Server.prototype)).toMatchObject(
      shapeOf(ws.Server.prototype)
    );
  });

  test('has all the methods of a Sender', () => {
    const names = ['close', 'ping', 'pong', 'send', 'sendFrame'];

    expect(shapeOf(oxws.Sender.prototype, names)).toEqual(
      shapeOf(ws.Sender.prototype, names)
    );
    expect(typeof oxws.Sender.frame).toBe('function');
  });

  test('has all the methods of a PerMessageDeflate', () => {
    const names = ['offer', 'accept', 'compress', 'decompress', 'cleanup'];

    expect(shapeOf(oxws.PerMessageDeflate.prototype, names)).toEqual(
      shapeOf(ws.PerMessageDeflate.prototype, names)
    );
  });

  test('has the same parsers', () => {
    expect(shapeOf(oxws.extension)).toEqual(shapeOf(ws.extension));
    expect(shapeOf(oxws.subprotocol)).toEqual(shapeOf(ws.subprotocol));
  });
});

describe('importing oxws', () => {
  async function evaluate(source, type) {
    const { code, stdout, stderr } = await runNode([
      `--input-type=${type}`,
      '-e',
      source
    ]);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  test('by name gives the same in both module systems', async () => {
    expect(
      await evaluate(
        `import WebSocket, * as namespace from 'oxws';
         import { createRequire } from 'module';
         const required = createRequire(import.meta.url)('oxws');
         console.log(JSON.stringify({
           same: WebSocket === required,
           names: Object.keys(namespace).sort(),
           equal: Object.keys(namespace).filter(
             (name) => name !== 'default' && namespace[name] === required[name]
           ).length
         }));`,
        'module'
      )
    ).toEqual({
      same: true,
      names: [
        'PerMessageDeflate',
        'Receiver',
        'Sender',
        'WebSocket',
        'WebSocketServer',
        'createWebSocketStream',
        'default',
        'extension',
        'subprotocol'
      ],
      equal: 8
    });
  });

  test('of anything but the package is refused', async () => {
    expect(
      await evaluate(
        `const results = {};
         for (const name of [
           'oxws/package.json', 'oxws/lib/websocket.js', 'oxws/index.js'
         ]) {
           try {
             require(name);
             results[name] = 'found';
           } catch (err) {
             results[name] = err.code;
           }
         }
         console.log(JSON.stringify(results));`,
        'commonjs'
      )
    ).toEqual({
      'oxws/package.json': 'found',
      'oxws/lib/websocket.js': 'ERR_PACKAGE_PATH_NOT_EXPORTED',
      'oxws/index.js': 'ERR_PACKAGE_PATH_NOT_EXPORTED'
    });
  });

  test('in a browser throws when it is used', () => {
    expect(require(path.join(root, 'browser.js'))).toThrow(
      'does not work in the browser'
    );
  });
});
