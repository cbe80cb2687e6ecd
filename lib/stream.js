'use strict';

const { Duplex } = require('stream');

const { kConnection } = require('./constants');

/** @typedef {import('./websocket')} WebSocket */

/**
 * Makes a stream of a WebSocket: each chunk written is sent as a message, each
 * message received is read as a chunk. Ending the stream closes the WebSocket,
 * destroying it terminates it.
 *
 * @param {WebSocket} websocket
 * @param {Object} [options] Options of `Duplex`. With `readableObjectMode`
 *     text messages are read as strings
 * @return {Duplex}
 */
function createWebSocketStream(websocket, options) {
  let isFailed = false;

  const duplex = new Duplex({
    ...options,
    autoDestroy: false,
    emitClose: false,
    objectMode: false,
    writableObjectMode: false,
    read() {
      if (websocket.isPaused) websocket.resume();
    },
    write(chunk, encoding, callback) {
      whenOpen(websocket, () => websocket.send(chunk, callback));
    },
    final(callback) {
      whenOpen(websocket, () => finish(duplex, websocket, callback));
    },
    destroy(err, callback) {
      whenClosed(duplex, websocket, err, callback);

      // After an error the WebSocket closes by itself, and a close frame may
      // still be on its way out.
      if (!isFailed) websocket.terminate();
    }
  });

  websocket.on('message', (data, isBinary) => {
    const isText = !isBinary && duplex.readableObjectMode;

    if (!duplex.push(isText ? data.toString() : data)) websocket.pause();
  });

  websocket.once('error', (err) => {
    if (duplex.destroyed) return;

    isFailed = true;
    duplex.destroy(err);
  });

  websocket.once('close', () => {
    if (!duplex.destroyed) duplex.push(null);
  });

  duplex.on('end', () => {
    if (!duplex.destroyed && duplex.writableFinished) duplex.destroy();
  });

  duplex.on('error', function onError(err) {
    duplex.removeListener('error', onError);
    duplex.destroy();

    // An error that nobody else listens to must be thrown.
    if (duplex.listenerCount('error') === 0) duplex.emit('error', err);
  });

  return duplex;
}

/** Calls back once the WebSocket is not connecting any more. */
function whenOpen(websocket, callback) {
  if (websocket.readyState === websocket.CONNECTING) {
    websocket.once('open', callback);
  } else {
    callback();
  }
}

/**
 * Closes the WebSocket and calls back when its side of the socket has ended.
 * The readable side ends later, with the event `close`.
 */
function finish(duplex, websocket, callback) {
  const output = outputOf(websocket);

  // The handshake failed: the event `error` is on its way.
  if (!output) return;

  if (output.finished) {
    callback();
    if (duplex.readableEnded) duplex.destroy();
  } else {
    output.onceFinished(() => callback());
    websocket.close();
  }
}

/** Our connection, or the same of another library's socket. */
function outputOf(websocket) {
  if (websocket[kConnection] !== undefined) return websocket[kConnection];

  const { _socket: socket } = websocket;

  return (
    socket && {
      finished: socket.writableFinished,
      onceFinished: (listener) => socket.once('finish', listener)
    }
  );
}

/** Completes a `destroy()` when the WebSocket is closed. */
function whenClosed(duplex, websocket, err, callback) {
  const emitClose = () => duplex.emit('close');

  if (websocket.readyState === websocket.CLOSED) {
    callback(err);
    process.nextTick(emitClose);
    return;
  }

  let isCalled = false;

  websocket.once('error', (error) => {
    isCalled = true;
    callback(error);
  });

  websocket.once('close', () => {
    if (!isCalled) callback(err);
    process.nextTick(emitClose);
  });
}

module.exports = createWebSocketStream;
