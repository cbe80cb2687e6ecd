'use strict';

const diagnostics = require('diagnostics_channel');
const dns = require('dns');
const { once } = require('events');
const http = require('http');
const https = require('https');
const net = require('net');
const stream = require('stream');
const tls = require('tls');

const { listen } = require('../support/connection');
const { implementations, oxws, ws } = require('../support/implementations');
const { onRelease, trackWebSocket } = require('../support/resources');

/** Functions of Node's that guards, mocks and tracing tools replace. */
const functions = [
  ['dns.lookup', dns, 'lookup'],
  ['http.ClientRequest', http, 'ClientRequest'],
  ['http.get', http, 'get'],
  ['http.request', http, 'request'],
  ['https.request', https, 'request'],
  ['net.connect', net, 'connect'],
  ['net.createConnection', net, 'createConnection'],
  ['tls.connect', tls, 'connect'],
  ...[
    ['http.Agent', http.Agent, 'addRequest', 'createConnection'],
    ['http.ClientRequest', http.ClientRequest, 'end', 'onSocket', 'on', 'emit'],
    [
      'http.OutgoingMessage',
      http.OutgoingMessage,
      'setHeader',
      '_send',
      '_storeHeader',
      'end'
    ],
    ['net.Socket', net.Socket, 'connect', 'write', 'on', 'setNoDelay', '_read'],
    ['stream.Duplex', stream.Duplex, 'write'],
    ['stream.Readable', stream.Readable, 'push', 'read', 'resume']
  ].flatMap(([name, { prototype }, ...methods]) =>
    methods.map((method) => [`${name}#${method}`, prototype, method])
  )
];

const channels = [
  'http.client.request.created',
  'http.client.request.start',
  'http.client.response.finish',
  'net.client.socket'
];

/** Puts something in a function's place until `restore()` or the test's end. */
function replace(object, name, make) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const restore = () => {
    if (descriptor) Object.defineProperty(object, name, descriptor);
    else delete object[name];
  };

  object[name] = make(object[name]);
  onRelease(restore);
  return restore;
}

/** Resolves what becomes of a client. */
function outcome(lib, url) {
  return new Promise((resolve) => {
    let client;

    try {
      client = trackWebSocket(new lib.WebSocket(url));
    } catch (err) {
      resolve(`thrown ${err.message}`);
      return;
    }
    client.on('open', () => resolve('open'));
    client.on('error', (err) => resolve(`error ${err.message}`));
  });
}

/** A server that nothing of Node's is replaced for. */
async function listening() {
  const { port } = await listen(ws);

  return `ws://localhost:${port}/`;
}

test.each(functions)('%s is asked as ws asks it', async (_, object, name) => {
  const url = await listening();
  const called = [];

  for (const { lib } of implementations) {
    let isCalled = false;
    const restore = replace(
      object,
      name,
      (original) =>
        function replaced(...args) {
          isCalled = true;

          return new.target
            ? Reflect.construct(original, args, new.target)
            : original.apply(this, args);
        }
    );

    expect(await outcome(lib, url)).toBe('open');
    restore();
    called.push(isCalled);
  }

  expect(called[1]).toBe(called[0]);
});

test.each(
  functions.filter(([name]) =>
    /^(dns|http|net)\.(lookup|request|connect|Socket#connect)/.test(name)
  )
)('%s can forbid the network', async (_, object, name) => {
  const url = await listening();
  const outcomes = [];

  for (const { lib } of implementations) {
    const restore = replace(object, name, () => () => {
      throw new Error('The network is forbidden');
    });

    outcomes.push(await outcome(lib, url));
    restore();
  }

  expect(outcomes[0]).toMatch(/The network is forbidden$/);
  expect(outcomes[1]).toBe(outcomes[0]);
});

test.each(channels)('%s tells of the same', async (name) => {
  const url = await listening();
  const counts = [];

  for (const { lib } of implementations) {
    let count = 0;
    const onMessage = () => count++;

    diagnostics.subscribe(name, onMessage);
    onRelease(() => diagnostics.unsubscribe(name, onMessage));
    expect(await outcome(lib, url)).toBe('open');
    diagnostics.unsubscribe(name, onMessage);
    counts.push(count);
  }

  expect(counts[1]).toBe(counts[0]);
});

test('what is put back is as if it had never been replaced', async () => {
  const url = await listening();
  const restore = replace(net, 'connect', () => () => {
    throw new Error('The network is forbidden');
  });

  expect(await outcome(oxws, url)).toMatch(/forbidden/);
  restore();
  expect(await outcome(oxws, url)).toBe('open');
});

describe.each(implementations)('the port of a $name server', ({ lib }) => {
  test.each([
    ['http.createServer', http, 'createServer'],
    ['net.Server#listen', net.Server.prototype, 'listen'],
    ['http.Server#emit', http.Server.prototype, 'emit']
  ])('passes through %s', async (_, object, name) => {
    let isCalled = false;

    replace(
      object,
      name,
      (original) =>
        function replaced(...args) {
          isCalled = true;
          return original.apply(this, args);
        }
    );

    const { url } = await listen(lib);

    expect(await outcome(ws, url)).toBe('open');
    expect(isCalled).toBe(true);
  });

  test('is announced to who listens for sockets', async () => {
    const sockets = [];
    const onMessage = ({ socket }) => sockets.push(socket);

    diagnostics.subscribe('net.server.socket', onMessage);
    onRelease(() => diagnostics.unsubscribe('net.server.socket', onMessage));

    const { wss, url } = await listen(lib);
    const connected = once(wss, 'connection');

    expect(await outcome(ws, url)).toBe('open');

    const [, request] = await connected;

    expect(sockets).toEqual([request.socket]);
  });
});
