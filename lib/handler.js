'use strict';

const { kInternal, kStatusCode, kWebSocket } = require('./constants');
const { EMPTY, fromBinary } = require('./payload');
const { CLOSED, CLOSING, OPEN } = require('./ready-state');
const Receiver = require('./receiver');
const timers = require('./node/timers');

/**
 * @typedef {import('./native/endpoint').Endpoint} Endpoint
 * @typedef {import('./connection/connection-sender')} ConnectionSender
 * @typedef {import('./websocket')} WebSocket
 */

/** The code of a close frame that has none. */
const NO_STATUS = 1005;

/**
 * What a connection calls. Every function gets the WebSocket first; they are called
 * in the order of the stream, and `close` is the last.
 */
const handler = Object.freeze({
  /** A message; of a fragmented binary one also its fragments' lengths. */
  message(websocket, data, isBinary, lengths) {
    const message =
      isBinary && websocket._binaryType !== 'nodebuffer'
        ? fromBinary(websocket._binaryType, data, lengths)
        : data;

    websocket.emit('message', message, isBinary);
  },

  /** A ping. */
  ping: onPing,

  /** A pong. */
  pong(websocket, data) {
    websocket.emit('pong', data);
  },

  /** The close frame. */
  conclude: onConclude,

  /** The peer broke the protocol or a limit; nothing more will be decoded. */
  violation(websocket, err) {
    websocket._violation = err;
    timers.nextTick(reportViolation, websocket, err);
  },

  /** The peer ended its side of the connection. */
  end(websocket) {
    websocket._readyState = CLOSING;
    websocket._connection.end();
  },

  /**
   * Makes what decodes the bytes of a connection where they come as a stream.
   *
   * @param {WebSocket} websocket
   * @param {Endpoint} [endpoint] That of the connection
   * @return {Receiver}
   */
  createReceiver(websocket, endpoint) {
    const receiver = new Receiver(
      {
        ...websocket._connectionOptions,
        binaryType: websocket._binaryType,
        extensions: websocket._extensions,
        isServer: websocket._isServer
      },
      endpoint
    );

    receiver[kWebSocket] = websocket;

    for (const [event, listener] of Object.entries(listeners)) {
      receiver.on(event, listener.bind(null, websocket));
    }

    return receiver;
  },

  /** The connection is gone. */
  close(websocket) {
    websocket._readyState = CLOSING;
    clearTimeout(websocket._closeTimer);

    if (websocket._violation !== null && !websocket._isViolationReported) {
      timers.nextTick(() => websocket.emitClose());
    } else {
      websocket.emitClose();
    }
  }
});

/** What a WebSocket does on the events of its `_receiver`. */
const listeners = {
  conclude: onConclude,
  drain: (websocket) => websocket._connection.onReceiverDrain(),
  error: reportViolation,
  message: (websocket, data, isBinary) =>
    websocket.emit('message', data, isBinary),
  ping: onPing,
  pong: (websocket, data) => websocket.emit('pong', data)
};

function onPing(websocket, data) {
  if (websocket._autoPong && websocket._readyState === OPEN) {
    answerPing(websocket, data);
  }

  websocket.emit('ping', data);
}

/**
 * Pongs, unless the peer reads them slower than it pings: then they would pile
 * up without end.
 */
function answerPing(websocket, data) {
  const limit = websocket._maxPendingAutoPongs;

  if (limit > 0 && websocket._pendingAutoPongs >= limit) {
    websocket.terminate();
    return;
  }

  websocket._autoPongComplete ??= createAutoPongCallback(websocket);
  websocket._pendingAutoPongs++;
  websocket.pong(data, !websocket._isServer, websocket._autoPongComplete);
}

function createAutoPongCallback(websocket) {
  const onPonged = () => {
    websocket._pendingAutoPongs--;
  };

  onPonged[kInternal] = true;

  return onPonged;
}

function onConclude(websocket, code, reason) {
  websocket._closeFrameReceived = true;
  websocket._closeCode = code;
  websocket._closeMessage = unpooled(reason);
  websocket._connection.ignoreInput();

  if (websocket._connection.destroyed) return;

  process.nextTick(stopReceiving, websocket._connection);

  if (code === NO_STATUS) websocket.close();
  else websocket.close(code, reason);
}

/** A copy that keeps no larger memory alive for as long as the WebSocket is. */
function unpooled(bytes) {
  if (bytes.length === 0) return EMPTY;

  const copy = Buffer.allocUnsafeSlow(bytes.length);

  copy.set(bytes);

  return copy;
}

function reportViolation(websocket, err) {
  const { _connection: connection } = websocket;

  websocket._isViolationReported = true;
  connection.ignoreInput();

  if (!connection.destroyed) {
    process.nextTick(stopReceiving, connection);
    websocket.close(err[kStatusCode]);
  }

  emitErrorOnce(websocket, err);
}

function stopReceiving(connection) {
  connection.stopReceiving();
}

/** @this ConnectionSender */
function onSenderError(err) {
  const websocket = this._websocket;

  if (websocket._readyState === CLOSED) return;
  if (websocket._readyState === OPEN) startClosing(websocket);

  // The peer may still be sending: end this side and leave it the other.
  websocket._connection.end();
  emitErrorOnce(websocket, err);
}

function emitErrorOnce(websocket, err) {
  if (websocket._errorEmitted) return;

  websocket._errorEmitted = true;
  websocket.emit('error', err);
}

function startClosing(websocket) {
  const { _connection: connection, _closeTimeout: timeout } = websocket;

  websocket._readyState = CLOSING;
  websocket._closeTimer = setTimeout(() => connection.destroy(), timeout);
}

/** Ends our side once close frames went both ways, or the peer failed. */
function endIfClosed(websocket) {
  if (
    websocket._closeFrameSent &&
    (websocket._closeFrameReceived || websocket._isViolationReported)
  ) {
    websocket._connection.end();
  }
}

module.exports = {
  endIfClosed,
  handler,
  onSenderError,
  startClosing
};
