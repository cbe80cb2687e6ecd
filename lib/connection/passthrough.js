'use strict';

const { bridge } = require('../native/bridge');
const { EMPTY } = require('../payload');

/** @typedef {import('./native-connection')} NativeConnection */

/**
 * The time in which the socket of a connection is an ordinary one: somebody else
 * reads what comes, Node's http parser as a rule.
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

    connection.nativeHandle.startPassthrough(withHead);
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

    try {
      awaited.callback(this._connection.socket.read() ?? EMPTY);
    } catch (err) {
      bridge.raise(err);
    }
  }
}

module.exports = Passthrough;
