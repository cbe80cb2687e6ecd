'use strict';

const { once } = require('events');

const { dial, listen } = require('../../support/connection');
const { oxws, ws } = require('../../support/implementations');
const { turns } = require('../../routes/support/matrix');
const { routes } = require('../../routes/support/routes');

const pair = {
  name: 'oxws',
  serverLib: oxws,
  clientLib: oxws,
  WebSocketServer: oxws.WebSocketServer,
  WebSocket: oxws
};

/** Both ends of a connection are oxws, over each route. */
const ends = routes.flatMap((route) =>
  ['server', 'client'].map((end) => ({
    name: `${route.name}, ${end}`,
    route,
    end
  }))
);

/**
 * A connection over a route. `own` is the end under test, `peer` the other one.
 *
 * @param {object} row of `ends`
 * @param {object} [setup] options of both sides
 */
async function open({ route, end }, setup = {}) {
  const connection = await route.open(pair, {
    ...setup,
    client: { perMessageDeflate: false, ...setup.client }
  });
  const { server, client } = connection;
  const [own, peer] = end === 'server' ? [server, client] : [client, server];

  return { ...connection, own, peer };
}

/** Settles on 'close', whatever 'error' comes before it. */
function onceClosed(websocket) {
  return new Promise((resolve) => {
    websocket.on('error', () => {});
    websocket.on('close', (code, reason) => resolve([code, String(reason)]));
  });
}

/** Sends until nothing can be taken any more, by sockets that grow. */
async function fill(websocket) {
  const chunk = Buffer.alloc(1 << 16);

  while (websocket.bufferedAmount < 8 << 20) {
    for (let sends = 0; sends < 16; sends++) websocket.send(chunk);
    await turns(5);
  }
}

/** A copy of oxws of its own, in the same process. */
function anotherCopy() {
  let copy;

  jest.isolateModules(() => {
    copy = {
      WebSocket: require('../../..'),
      extra: require('../../../lib/extra')
    };

    // What is loaded later would not be of that copy.
    for (const { prototype } of [copy.WebSocket, copy.WebSocket.Server]) {
      expect(prototype[Symbol.for('oxws.extra')].of).toBeDefined();
    }
  });
  return copy;
}

/** A WebSocket of a server of that copy, and the first message that it sends. */
async function openOf({ WebSocket: { WebSocketServer } }) {
  const { wss, url } = await listen({ WebSocketServer });
  const connected = once(wss, 'connection');
  const client = dial({ WebSocket: ws }, url);
  const message = once(client, 'message').then(([data]) => String(data));
  const [server] = await connected;

  return { server, message };
}

/** A subclass whose `send()` notes what it is called with, and sends it. */
function traced() {
  const sent = [];

  class Traced extends oxws {
    send(data, ...rest) {
      sent.push(data);
      super.send(data, ...rest);
    }
  }

  return { Traced, sent };
}

module.exports = {
  anotherCopy,
  ends,
  fill,
  onceClosed,
  open,
  openOf,
  pair,
  traced
};
