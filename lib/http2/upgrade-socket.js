'use strict';

const { STATUS_CODES } = require('http');

const { kUpgradeSocket } = require('../constants');
const { DuplexUpgradeSocket } = require('../handshake/upgrade-socket');
const { EMPTY } = require('../payload');
const { Http2Connection, cancel } = require('./connection');
const { fieldsOf, linesOf } = require('./fields');

/** On a stream that was given to a WebSocket, by whatever copy of oxws. */
const kIsClaimed = Symbol.for('oxws.is-claimed');

/** Status codes of responses that Node.js ends after their head. */
const BODILESS = new Set([204, 205, 304]);

/**
 * A stream of an HTTP/2 connection whose opening handshake is under way. Who is
 * handed the stream finds it there.
 */
class Http2UpgradeSocket extends DuplexUpgradeSocket {
  /** @param {any} stream An Http2Stream of Node's */
  constructor(stream) {
    super(stream, EMPTY);
    stream[kUpgradeSocket] = this;
  }

  get isHttp2() {
    return true;
  }

  get alive() {
    return super.alive && (this.isClaimed || !this.socket.headersSent);
  }

  /** By another copy, too, that takes WebSockets from the same server. */
  get isClaimed() {
    return this.socket[kIsClaimed] === true;
  }

  /** Nothing can be sent, as it can where the peer has only ended its side. */
  get _isGone() {
    return this.socket.closed || this.socket.destroyed;
  }

  /** Over a socket it is no error either that a peer has gone, or has its answer. */
  reject(code, message, headers) {
    const { socket: stream } = this;

    if (this._isGone || stream.headersSent) return;

    const body = BODILESS.has(code) ? '' : message || STATUS_CODES[code] || '';
    const fields = {
      'content-type': 'text/html',
      'content-length': Buffer.byteLength(body),
      ...fieldsOf(linesOf({ ...headers }), 'utf8')
    };

    if (BODILESS.has(code)) delete fields['content-length'];

    stream.respond({ ...fields, ':status': code });
    if (stream.writable) stream.end(body);
  }

  /**
   * The first line tells what `:status` does. Where a listener has ended the
   * stream, the connection tells that it is closed.
   */
  accept([, ...lines]) {
    const fields = fieldsOf(lines, 'utf8');

    if (!this._isGone) this.socket.respond({ ...fields, ':status': 200 });

    return this._startStream();
  }

  open() {
    return this._startStream();
  }

  _startStream() {
    this.socket[kIsClaimed] = true;

    return super._startStream();
  }

  _createConnection() {
    return new Http2Connection(this.socket, EMPTY);
  }

  destroy() {
    cancel(this.socket);
  }
}

module.exports = Http2UpgradeSocket;
