'use strict';

const { COMPRESS } = require('./bits');
const { createAbort } = require('./errors');
const { byteLength } = require('./payload');
const Sender = require('./sender');

/**
 * @typedef {(import('./native-link')|import('./pumped-link'))} Link
 * @typedef {import('./websocket')} WebSocket
 */

/**
 * The sender of an open WebSocket. The link frames and compresses, in order,
 * so that only Blobs make later messages wait here.
 */
class LinkSender extends Sender {
  /**
   * @param {WebSocket} websocket
   * @param {Link} link
   * @param {function(Buffer): void} [generateMask]
   */
  constructor(websocket, link, generateMask) {
    super(null, websocket._extensions, generateMask);

    this._link = link;
    this._websocket = websocket;

    /** How many messages are being compressed, and the bytes behind them. */
    this._compressing = 0;
    this._behind = 0;
  }

  /**
   * A message that is compressed counts as buffered with its own length, and
   * what is sent after it too, until it is written.
   */
  _deflate(data, bits, callback) {
    const cb = functionOrNone(callback);
    const length = byteLength(data);

    this._bufferedBytes += length;
    this._deliver(data, bits, (err) => {
      if (--this._compressing === 0) {
        this._bufferedBytes -= this._behind;
        this._behind = 0;
      }

      if (err || this._destroyed) {
        cb?.(createAbort('data was being compressed'));
        return;
      }

      this._bufferedBytes -= length;
      cb?.();
    });
    this._compressing++;
  }

  _transmit(data, bits, key, cb) {
    cb = functionOrNone(cb);

    if (this._compressing > 0 && !(bits & COMPRESS)) {
      const length = byteLength(data);

      this._bufferedBytes += length;
      this._behind += length;
      cb &&= abortable(cb);
    }

    this._link.transmit(data, bits, key, cb);
  }

  sendFrame(list, cb) {
    this._link.write(list, functionOrNone(cb));
  }

  get _destroyed() {
    return this._link.destroyed;
  }
}

/** A callback of a frame that may be lost behind one being compressed. */
function abortable(cb) {
  return (err) => cb(err && createAbort('data was being compressed'));
}

function functionOrNone(cb) {
  return typeof cb === 'function' ? cb : undefined;
}

module.exports = LinkSender;
