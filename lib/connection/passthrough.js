'use strict';

const { bridge } = require('../native/bridge');
const { EMPTY } = require('../payload');

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * The time in which the socket of a connection is an ordinary one: somebody else
 * reads what comes, Node's http parser or the program.
 */
class Passthrough {
  /**
   * @param {NativeConnection} connection
   * @param {boolean} withHead Those of a head come, too
   */
  constructor(connection, withHead) {
    this._connection = connection;
    this._received = 0;
    /** What to call once so many bytes have come. */
    this._awaited = null;

    /** What came along with the head: nobody reads it but a WebSocket. */
    this.early = connection.nativeHandle.startPassthrough(withHead);
  }

  /** Puts that, and what somebody else has read, in front of what comes. */
  putBack(early) {
    const { socket } = this._connection;

    for (const bytes of [this.early, early]) {
      if (bytes !== undefined && bytes.length > 0) socket.unshift(bytes);
    }
  }

  /** Bytes came. */
  receive(bytes) {
    this._received += bytes.length;
    this._connection.socket.onChunk(bytes);
    this._endIfReceived();
  }

  /**
   * Ends it: the next bytes are for the endpoint. Calls back with those that
   * nobody has read, when the last one has come.
   */
  end(callback) {
    this._awaited = {
      count: this._connection.nativeHandle.park(),
      callback
    };
    this._endIfReceived();
  }

  /** Ends it if what was promised has come. */
  _endIfReceived() {
    const awaited = this._awaited;

    if (awaited === null || this._received < awaited.count) return;

    this._awaited = null;

    const unread = this._connection.socket.read() ?? EMPTY;

    // The connection keeps what comes again.
    this._connection.passthrough = null;

    try {
      awaited.callback(unread);
    } catch (err) {
      bridge.raise(err);
    }
  }
}

module.exports = Passthrough;
