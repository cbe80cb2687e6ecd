'use strict';

const { AsyncLocalStorage } = require('async_hooks');
const { once } = require('events');
const { ClientRequest } = require('http');
const { setImmediate: nextRound } = require('timers/promises');

const { dial } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const { rawServer, switchingProtocols } = require('../support/raw');
const { trace } = require('../support/trace');
const { OPCODE, frame } = require('../support/wire');

/** How to call `look(request)` when a client has come as far as a name says. */
const stages = {
  'at once': (client, look) => look(),
  'while it connects': (client, look) => {
    process.nextTick(() => process.nextTick(look));
  },
  'before the answer': (client, look, { asked }) => asked.then(() => look()),
  'with half of the answer': (client, look, { begun }) =>
    begun.then(() => look()),
  "in 'upgrade'": (client, look) => client.on('upgrade', () => look()),
  "in 'upgrade', by the response": (client, look) =>
    client.on('upgrade', ({ req }) => look(req))
};

/**
 * A client of a server which answers in two parts, and says something behind
 * them; what it sees of the request, and then of its events.
 */
async function start(lib, stage, onRequest) {
  let onAsked, onBegun;

  const asked = new Promise((resolve) => (onAsked = resolve));
  const begun = new Promise((resolve) => (onBegun = resolve));
  const { url } = await rawServer(async (peer, head) => {
    const answer = switchingProtocols(head);

    onAsked();
    await rounds();
    peer.write(answer.slice(0, 40));
    await rounds();
    onBegun();
    await rounds();
    peer.write(
      answer.slice(40),
      frame({ opcode: OPCODE.text, payload: 'hello' })
    );
  });
  const client = dial({ WebSocket: lib }, url, [], {
    headers: { 'X-Case': ['y', 'z'] },
    origin: 'http://a.b'
  });
  const events = trace(client);

  stages[stage](client, (request = client._req) => onRequest(request, client), {
    asked,
    begun
  });

  return { client, events };
}

function closed(client) {
  return new Promise((resolve) => client.on('close', resolve));
}

/** Time in which what was written arrives. */
async function rounds() {
  for (let i = 0; i < 20; i++) await nextRound();
}

describeEach(implementations, 'the request of a client', ({ lib }) => {
  test.each(Object.keys(stages))('is Node’s: %s', async (stage) => {
    let seen, header;
    const { client, events } = await start(lib, stage, (request) => {
      header = request._header.split('\r\n');
      seen = {
        isNodes: request instanceof ClientRequest,
        aborted: request.aborted,
        destroyed: request.destroyed,
        field: request.getHeader('x-case'),
        finished: request.finished,
        headersSent: request.headersSent,
        host: request.host,
        method: request.method,
        path: request.path,
        protocol: request.protocol
      };
    });
    const [data] = await once(client, 'message');

    expect(seen).toEqual({
      isNodes: true,
      aborted: false,
      destroyed: false,
      field: ['y', 'z'],
      finished: true,
      headersSent: true,
      host: '127.0.0.1',
      method: 'GET',
      path: '/',
      protocol: 'http:'
    });
    expect(header.slice(0, 4)).toEqual([
      'GET / HTTP/1.1',
      'X-Case: y',
      'X-Case: z',
      'Sec-WebSocket-Version: 13'
    ]);
    expect(header[header.length - 3]).toMatch(/^Host: 127\.0\.0\.1:\d+$/);
    expect(data.toString()).toBe('hello');
    expect(events.map(({ event }) => event)).toEqual([
      'upgrade',
      'open',
      'message'
    ]);
    expect(client._req).toBe(null);
  });

  test.each(['at once', 'before the answer', 'with half of the answer'])(
    'has its events: %s',
    async (stage) => {
      const seen = [];
      const { client } = await start(lib, stage, (request) => {
        for (const event of ['socket', 'upgrade', 'close']) {
          request.on(event, () => seen.push(event));
        }
      });

      await once(client, 'message');
      // Where the socket was there already, it came before.
      expect(seen.filter((event) => event !== 'socket')).toEqual([
        'upgrade',
        'close'
      ]);
    }
  );

  // One that is aborted before it has a socket leaves ws waiting.
  test.each(Object.keys(stages).slice(1, 4))(
    'can be aborted: %s',
    async (stage) => {
      const { client, events } = await start(lib, stage, (request) =>
        request.abort()
      );

      await closed(client);
      expect(events).toMatchObject([
        { event: 'error', message: 'socket hang up', code: 'ECONNRESET' },
        { event: 'close', code: 1006 }
      ]);
    }
  );

  test.each(Object.keys(stages).slice(0, 4))(
    'can be destroyed with an error: %s',
    async (stage) => {
      const { client, events } = await start(lib, stage, (request) =>
        request.destroy(new Error('enough'))
      );

      await closed(client);
      expect(events).toMatchObject([
        { event: 'error', message: 'enough' },
        { event: 'close', code: 1006 }
      ]);
    }
  );

  test.each(Object.keys(stages).slice(1, 4))(
    'is aborted when the client is closed: %s',
    async (stage) => {
      const seen = [];
      const { client, events } = await start(lib, stage, (request, client) => {
        for (const event of ['abort', 'error', 'close']) {
          request.on(event, () => seen.push(event));
        }
        client.close();
      });

      await closed(client);
      await rounds();
      expect(seen).toEqual(['abort', 'error', 'close']);
      expect(events).toMatchObject([
        {
          event: 'error',
          message: 'WebSocket was closed before the connection was established'
        },
        { event: 'close', code: 1006 }
      ]);
    }
  );

  test('has the async context of the constructor', async () => {
    const storage = new AsyncLocalStorage();
    const { url } = await rawServer((peer, head) => {
      peer.write(switchingProtocols(head));
    });
    const client = storage.run('constructor', () =>
      dial({ WebSocket: lib }, url)
    );
    let context;

    client.on('open', () => (context = storage.getStore()));
    storage.run('look', () => client._req);
    await once(client, 'open');
    expect(context).toBe('constructor');
  });

  test('can be replaced', async () => {
    const { url } = await rawServer((peer, head) => {
      peer.write(switchingProtocols(head));
    });
    const client = dial({ WebSocket: lib }, url);
    const request = {};

    client._req = request;
    expect(client._req).toBe(request);
    await once(client, 'open');
  });
});
