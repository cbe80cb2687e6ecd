'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const { oxws, ws } = require('../support/implementations');
const { onRelease } = require('../support/resources');

/** Methods that tools replace on the classes, for all connections. */
const methods = {
  WebSocketServer: ['completeUpgrade', 'handleUpgrade', 'shouldHandle'],
  WebSocket: ['close', 'emit', 'emitClose', 'pong', 'send', 'setSocket']
};

/** Counts the calls of each of them, until the test is over. */
function count(lib) {
  const calls = {};

  for (const [name, names] of Object.entries(methods)) {
    for (const method of names) {
      wrap(lib[name].prototype, method, calls, `${name}#${method}`);
    }
  }
  return calls;
}

function wrap(object, name, calls, label) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const original = object[name];

  calls[label] = 0;
  object[name] = function counted(...args) {
    calls[label]++;
    return original.apply(this, args);
  };
  onRelease(() => {
    if (descriptor) Object.defineProperty(object, name, descriptor);
    else delete object[name];
  });
}

/** A connection with a bit of everything; resolves what was called. */
async function converse(lib, route) {
  const { WebSocket, WebSocketServer } = lib;
  const calls = count(lib);
  const { client, server } = await connect(
    { WebSocket, WebSocketServer, route },
    { onServer: (server) => server.send('hello') }
  );
  const closed = [client, server].map((websocket) => once(websocket, 'close'));

  client.ping();
  await once(client, 'pong');
  client.send(Buffer.from('binary'));
  await once(server, 'message');
  client.close();
  await Promise.all(closed);
  return calls;
}

test.each(['owned', 'adopted', 'pumped'])(
  'methods of the classes are called as often as in ws (%s)',
  async (route) => {
    const expected = await converse(ws, route);

    expect(Object.values(expected)).not.toContain(0);
    expect(await converse(oxws, route)).toEqual(expected);
  }
);
