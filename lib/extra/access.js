'use strict';

const { kExtra } = require('../constants');

/**
 * What `oxws/extra` needs of the copy of oxws that a WebSocket is of. There may
 * be several in a process, and a socket of one is used with the functions of
 * another: they call what that one brought along.
 *
 * @param {any} websocket
 * @return {typeof import('./websocket-access')}
 * @throws {TypeError} If it is no WebSocket of oxws
 */
function accessTo(websocket) {
  const access = find(websocket);

  if (access?.of === 'WebSocket') return access;

  throw new TypeError('Expected a WebSocket of oxws');
}

/**
 * The same for a server.
 *
 * @param {any} server
 * @return {typeof import('./server-access')}
 * @throws {TypeError} If it is no WebSocketServer of oxws
 */
function accessToServer(server) {
  const access = find(server);

  if (access?.of === 'WebSocketServer') return access;

  throw new TypeError('Expected a WebSocketServer of oxws');
}

/**
 * The connections of a server.
 *
 * @param {any} server
 * @return {Set<any>}
 * @throws {TypeError} If it keeps none
 */
function clientsOf(server) {
  accessToServer(server);

  if (server.clients) return server.clients;

  throw new TypeError(
    'Expected a WebSocketServer that keeps its clients ("clientTracking")'
  );
}

/** @return {any} */
function find(value) {
  return typeof value === 'object' && value !== null
    ? value[kExtra]
    : undefined;
}

module.exports = { accessTo, accessToServer, clientsOf, find };
