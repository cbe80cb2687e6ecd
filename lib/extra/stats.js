'use strict';

const { accessTo, accessToServer, clientsOf, find } = require('./access');

/** What only grows; of a server, that of the clients that have gone, too. */
const TOTALS = /** @type {const} */ ([
  'messagesReceived',
  'messagesSent',
  'bytesReceived',
  'bytesSent'
]);

/**
 * What the connections of a server, or of many WebSockets, are doing, and have
 * done so far.
 *
 * @param {any} target A WebSocketServer, a WebSocket, or an iterable of these
 * @return {Object} See `index.d.ts`
 * @throws {TypeError} If it is nothing of that
 */
function stats(target) {
  const result = {
    connections: 0,
    routes: {},
    driver: 'inline',
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    bytesBuffered: 0,
    maxBuffered: 0,
    paused: 0,
    compressed: 0
  };

  for (const websocket of websocketsOf(target)) {
    const access = accessTo(websocket);
    const measured = access.measure(websocket);

    result.driver = access.driver();
    if (measured !== null) add(result, measured);
  }

  return find(target)?.of === 'WebSocketServer'
    ? withCounts(result, target)
    : result;
}

function websocketsOf(target) {
  const kind = find(target)?.of;

  if (kind === 'WebSocketServer') return clientsOf(target);
  if (kind === 'WebSocket') return [target];
  if (typeof target?.[Symbol.iterator] === 'function') return target;

  throw new TypeError(
    'Expected a WebSocketServer, a WebSocket or an iterable of WebSockets'
  );
}

function add(result, measured) {
  const { route, bytesBuffered } = measured;

  for (const name of TOTALS) result[name] += measured[name];

  // It is about to go, and has nothing else to tell.
  if (measured.isDestroyed) return;

  result.connections++;
  result.routes[route] = (result.routes[route] ?? 0) + 1;
  result.bytesBuffered += bytesBuffered;
  result.maxBuffered = Math.max(result.maxBuffered, bytesBuffered);
  result.paused += Number(measured.isPaused);
  result.compressed += Number(measured.isCompressed);
}

/** The same with what a server has counted. */
function withCounts(result, server) {
  const access = accessToServer(server);
  const counts = access.countsOf(server);

  for (const name of TOTALS) result[name] += counts[name];

  return {
    ...result,
    // There may be no client to tell.
    driver: access.driver(),
    accepted: counts.accepted,
    refused: Object.fromEntries(counts.refused),
    closed: Object.fromEntries(counts.closed)
  };
}

module.exports = stats;
