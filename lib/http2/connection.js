'use strict';

const StreamConnection = require('../connection/stream-connection');
const timers = require('../node/timers');

// Error codes (RFC 9113, section 7).
const NO_ERROR = 0;
const CANCEL = 8;

/** A WebSocket over a stream of an HTTP/2 connection. */
class Http2Connection extends StreamConnection {
  /**
   * Once close frames went both ways, a client has nothing more to say. There
   * are some that do not end their side when ours does, as sockets would; this
   * is how they are told (RFC 9113, section 8.1).
   */
  end() {
    const { socket, websocket } = this;
    const isOver =
      websocket._isServer && this._handler.isCloseExpected(websocket);

    super.end();
    if (isOver) this.onceFinished(() => timers.setImmediate(release, socket));
  }

  /**
   * Of a stream that was reset with NO_ERROR, Node.js waits for what is unsent to
   * be written, which it never is.
   */
  _onEnd() {
    const { socket } = this;

    super._onEnd();
    if (socket.closed) socket.destroy();
  }

  /** What a reset is for a socket, CANCEL is for a stream (RFC 8441, section 5). */
  destroy(err) {
    cancel(this.socket, err);
  }
}

function release(stream) {
  if (!stream.closed) stream.close(NO_ERROR);
}

/**
 * Ends a stream at once, and has the peer know.
 *
 * @param {any} stream An Http2Stream of Node's
 * @param {Error} [err] What it is to emit
 */
function cancel(stream, err) {
  if (!stream.closed && !stream.destroyed) stream.close(CANCEL);

  stream.destroy(err);
}

module.exports = { Http2Connection, cancel };
