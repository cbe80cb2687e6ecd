'use strict';

const {
  kClosing,
  kConnection,
  kConnectionOptions,
  kInternal,
  kWebSocket,
  readyStates
} = require('./constants');
const { channels, isTraced, tracing } = require('./diagnostics');
const { fromBinary } = require('./payload');
const Receiver = require('./receiver');

/**
 * @typedef {import('./connection/connection').Handler} Handler
 * @typedef {import('./sender')} Sender
 * @typedef {import('./websocket')} WebSocket
 */

/**
 * What a WebSocket does on the events of its connection.
 *
 * @type {Handler}
 */
const handler = Object.freeze({
  message(websocket, data, isBinary, lengths) {
    const message =
      isBinary && websocket._binaryType !== 'nodebuffer'
        ? fromBinary(websocket._binaryType, data, lengths)
        : data;

    emitMessage(websocket, message, isBinary);
  },

  ping: onPing,

  pong(websocket, data) {
    emitControl(websocket, 'pong', data);
  },

  conclude: onConclude,

  violation(websocket, err, isSync) {
    websocket[kClosing].onViolation(err, isSync);
  },

  end(websocket) {
    websocket[kClosing].onEnd();
  },

  disconnect(websocket) {
    websocket[kClosing].onDisconnect();
  },

  close(websocket) {
    websocket[kClosing].onClose();
  },

  hasBegunClosing(websocket) {
    return websocket[kClosing].hasBegun;
  },

  isCloseExpected(websocket) {
    return websocket[kClosing].isExpected;
  },

  createReceiver(websocket, endpoint) {
    const receiver = new Receiver(
      {
        ...websocket[kConnectionOptions],
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
  }
});

/** What a WebSocket does on the events of its `_receiver`. */
const listeners = {
  conclude: onConclude,
  drain: (websocket) => websocket[kConnection].onReceiverDrain(),
  error: (websocket, err) => websocket[kClosing].reportViolation(err),
  message(websocket, data, isBinary) {
    websocket[kConnection].messagesReceived++;
    emitMessage(websocket, data, isBinary);
  },
  ping: onPing,
  pong: (websocket, data) => emitControl(websocket, 'pong', data)
};

/** Emits 'message', and tells of it. */
function emitMessage(websocket, data, isBinary) {
  if (channels.message.hasSubscribers) {
    channels.message.publish({ websocket, data, isBinary });
  }

  if (isTraced()) {
    const context = { websocket, data, isBinary };

    tracing.traceSync(() => websocket.emit('message', data, isBinary), context);
  } else {
    websocket.emit('message', data, isBinary);
  }
}

/** Emits 'ping' or 'pong', and tells of it. */
function emitControl(websocket, event, data) {
  if (channels[event].hasSubscribers) {
    channels[event].publish({ websocket, payload: data });
  }

  websocket.emit(event, data);
}

function onPing(websocket, data) {
  if (websocket._autoPong && websocket._readyState === readyStates.OPEN) {
    answerPing(websocket, data);
  }

  emitControl(websocket, 'ping', data);
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
  websocket[kClosing].onCloseFrame(code, reason);
}

/** @this Sender */
function onSenderError(err) {
  this[kWebSocket][kClosing].onSendError(err);
}

/** What the connection of a WebSocket is started with. */
function startOptions(websocket, options) {
  // Only what is left out has a default.
  const { allowSynchronousEvents = true } = options;

  return {
    allowSynchronousEvents: Boolean(allowSynchronousEvents),
    extensions: websocket._extensions,
    isServer: websocket._isServer,
    maxBufferedChunks: Math.max(options.maxBufferedChunks | 0, 0),
    maxFragments: Math.max(options.maxFragments | 0, 0),
    maxPayload: Math.max(options.maxPayload | 0, 0),
    skipUTF8Validation: Boolean(options.skipUTF8Validation)
  };
}

module.exports = { handler, onSenderError, startOptions };
