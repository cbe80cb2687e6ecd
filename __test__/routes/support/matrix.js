'use strict';

const { describeEach, oxws, ws } = require('../../support/implementations');
const { describeData, describeError } = require('../../support/trace');
const { messages, allArrived, turns } = require('../../support/waiting');
const { routes } = require('./routes');

/** Who plays the server and who the client; ws with itself is the oracle. */
const pairs = [
  [ws, ws],
  [oxws, ws],
  [ws, oxws],
  [oxws, oxws]
].map(([serverLib, clientLib]) => ({
  name: `${nameOf(serverLib)} server, ${nameOf(clientLib)} client`,
  serverLib,
  clientLib,
  WebSocketServer: serverLib.WebSocketServer,
  WebSocket: clientLib.WebSocket,
  driverless: serverLib === ws && clientLib === ws
}));

function nameOf(lib) {
  return lib === ws ? 'ws' : 'oxws';
}

/**
 * Runs `body(open, route, pair)` as one describe block for each route and
 * pair. `open({ server, client })` takes the options of both and resolves what
 * the route's `open()` does, with `events`: what each side emits from then on,
 * and `closed`, which settles when both sides are.
 */
function describeRoutes(title, body, chosen = routes) {
  const rows = chosen.flatMap((route) =>
    pairs
      .filter((pair) => !route.isOnlyOxws || isOxws(pair))
      .map((pair) => ({
        name: `${route.name}: ${pair.name}`,
        driverless: pair.driverless || route.driverless === true,
        route,
        pair
      }))
  );

  describeEach(rows, title, ({ route, pair }) => {
    body((setup) => open(route, pair, setup), route, pair);
  });
}

function isOxws({ serverLib, clientLib }) {
  return serverLib === oxws && clientLib === oxws;
}

async function open(route, pair, setup = {}) {
  const connection = await route.open(pair, {
    ...setup,
    client: { perMessageDeflate: false, ...setup.client }
  });
  const { server, client } = connection;

  return {
    ...connection,
    events: { server: record(server), client: record(client) },
    closed: Promise.all([onceClosed(server), onceClosed(client)])
  };
}

/** Settles on 'close', whatever 'error' comes before it. */
function onceClosed(websocket) {
  return new Promise((resolve) => websocket.on('close', resolve));
}

/**
 * Writes down what a WebSocket emits, a line an event: the readyState that
 * listeners see, the name, the values.
 *
 * @returns {string[]} grows while the WebSocket lives
 */
function record(websocket) {
  const lines = [];
  const add = (...words) =>
    lines.push([websocket.readyState, ...words].join(' '));

  websocket.on('message', (data, isBinary) => {
    const content = data.arrayBuffer
      ? `Blob(${data.size})`
      : describeData(data);

    add('message', isBinary ? 'binary' : 'text', content);
  });
  websocket.on('ping', (data) => add('ping', describeData(data)));
  websocket.on('pong', (data) => add('pong', describeData(data)));
  websocket.on('error', (err) => {
    const { class: name, code, message } = describeError(err);

    add('error', name, code, message);
  });
  websocket.on('close', (code, reason) => {
    add('close', code, describeData(reason));
  });
  return lines;
}

/** Runs `body(from, to)` for both directions, one after the other. */
async function bothWays({ server, client }, body) {
  await body(client, server);
  await body(server, client);
}

module.exports = {
  bothWays,
  describeRoutes,
  messages,
  pairs,
  record,
  allArrived,
  turns
};
