'use strict';

const fs = require('fs');
const net = require('net');

const { bridge } = require('../native/bridge');
const timers = require('../node/timers');

/**
 * @typedef {import('http').Server} HttpServer
 * @typedef {import('../connection/native-connection')} NativeConnection
 */

/** `TCPConstants.SOCKET` of Node's TCP handles. */
const SOCKET = 0;

/**
 * Takes a connection from the engine: a TCP handle, as Node accepts them, and
 * what was read of it.
 *
 * @param {NativeConnection} connection
 * @param {any} TCP The class of Node's handles
 * @return {?{handle: Object, bytes: Buffer}} None: it is closed
 */
function release(connection, TCP) {
  const released = connection.release();

  if (released === null) return null;

  const handle = new TCP(SOCKET);

  if (handle.open(released.fd) !== 0) {
    fs.closeSync(released.fd);
    return null;
  }

  return { handle, bytes: released.bytes };
}

/**
 * Has Node read a connection that was accepted before.
 *
 * @param {HttpServer} server
 * @param {Function} connectionListener Node's listener of 'connection', which
 *     has the http parser read
 * @param {Object} handle
 * @return {net.Socket}
 */
function serve(server, connectionListener, handle) {
  const { allowHalfOpen, highWaterMark } = /** @type {any} */ (server);
  const options = {
    handle,
    allowHalfOpen,
    readable: true,
    writable: true,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark
  };
  const socket = /** @type {any} */ (new net.Socket(options));

  socket.setNoDelay(true);
  socket.server = socket._server = server;
  connectionListener.call(server, socket);

  return socket;
}

/**
 * Has the socket of a handle read what the engine had read, as if it came now:
 * after all that follows from the 'connection' event, before what libuv reads.
 *
 * @param {Object} handle
 * @param {Buffer} bytes
 */
function deliver(handle, bytes) {
  if (bytes.length === 0) return;

  timers.nextTick(timers.queueMicrotask, () => {
    countAsRead(handle, bytes.length);

    try {
      // None: the connection was dropped, or is another process's.
      if (handle.owner?._handle === handle) handle.owner.push(bytes);
    } catch (err) {
      bridge.raise(err);
    }
  });
}

/** Has a handle say that it has read so many bytes more. */
function countAsRead(handle, count) {
  const prototype = Object.getPrototypeOf(handle);

  Object.defineProperty(handle, 'bytesRead', {
    configurable: true,
    enumerable: false,
    get: () => count + Reflect.get(prototype, 'bytesRead', handle)
  });
}

module.exports = { deliver, release, serve };
