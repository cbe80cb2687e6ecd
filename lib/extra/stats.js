'use strict';

const { accessTo, clientsOf, find } = require('./access');

/**
 * What the connections of a server, or of many WebSockets, are doing. Nothing is
 * counted for it: they are asked.
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

  return result;
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
  const { route, buffered } = measured;

  result.connections++;
  result.routes[route] = (result.routes[route] ?? 0) + 1;
  result.bytesReceived += measured.received;
  result.bytesSent += measured.sent;
  result.bytesBuffered += buffered;
  result.maxBuffered = Math.max(result.maxBuffered, buffered);
  result.paused += Number(measured.isPaused);
  result.compressed += Number(measured.isCompressed);
}

module.exports = stats;
