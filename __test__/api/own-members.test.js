'use strict';

const EventEmitter = require('events');

const { connect } = require('../support/connection');
const {
  describeEach,
  oxws,
  routedPairs,
  ws
} = require('../support/implementations');

/** The strings that name members of an object, but for those of emitters. */
function namesOf(object) {
  const names = new Set();

  for (
    let each = object;
    each !== EventEmitter.prototype;
    each = Object.getPrototypeOf(each)
  ) {
    for (const name of Object.getOwnPropertyNames(each)) names.add(name);
  }
  return names;
}

async function membersOf({ WebSocket, WebSocketServer }) {
  const { client, server, wss } = await connect({ WebSocket, WebSocketServer });
  const [ofClient, ofServer, ofServers] = [client, server, wss].map(namesOf);

  return {
    WebSocket: new Set([...ofClient, ...ofServer]),
    WebSocketServer: ofServers
  };
}

test('no name is taken that ws leaves to programs and subclasses', async () => {
  const theirs = await membersOf(ws);
  const ours = await membersOf(oxws);

  for (const Class of ['WebSocket', 'WebSocketServer']) {
    const isLeft = (name) => !theirs[Class].has(name);

    expect([...ours[Class]].filter(isLeft)).toEqual([]);
  }
});

describeEach(routedPairs, 'subclasses', (pair) => {
  test('may have members of the likeliest names', async () => {
    const names = 'client closing connection handshake link listen track'
      .split(' ')
      .map((name) => `_${name}`);

    /** The same class with such fields and methods, which nobody calls. */
    const withMembers = (Class) => {
      const Subclass = class extends Class {
        constructor(...args) {
          super(...args);
          for (const name of names) this[name] = name;
        }
      };

      for (const name of names) {
        Subclass.prototype[name] = () => {
          throw new Error(name);
        };
      }
      return Subclass;
    };
    const { WebSocket } = new pair.WebSocketServer({ noServer: true }).options;
    const { client, server, wss } = await connect(
      {
        ...pair,
        WebSocket: withMembers(pair.WebSocket),
        WebSocketServer: withMembers(pair.WebSocketServer)
      },
      { server: { WebSocket: withMembers(WebSocket) } }
    );
    const events = [];

    client.on('message', (data) => events.push(String(data)));
    server.on('message', (data) => server.send(data));
    server.on('close', (code) => events.push(code));
    client.send('hello');
    while (events.length === 0) await new Promise(setImmediate);
    client.close(4000);
    while (events.length === 1) await new Promise(setImmediate);
    expect(events).toEqual(['hello', 4000]);
    for (const object of [client, server, wss]) {
      expect(names.map((name) => object[name])).toEqual(names);
    }
  });
});
