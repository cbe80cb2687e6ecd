'use strict';

const { oxws } = require('../../support/implementations');
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

module.exports = { anotherCopy, ends, fill, onceClosed, open, pair };
