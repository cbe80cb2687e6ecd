'use strict';

const { createAbort } = require('./errors');
const { byteLength } = require('./payload');
const Sender = require('./sender');

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
  }

  /** Until it is written a message counts with its length before compression. */
  _deflate(data, bits, cb) {
    const length = byteLength(data);

    this._bufferedBytes += length;
    this._deliver(data, bits, (err) => {
      if (err || this._destroyed)
        err = createAbort('data was being compressed');
      else this._bufferedBytes -= length;

      if (typeof cb === 'function') cb(err);
    });
  }

  _transmit(data, bits, key, cb) {
    this._link.transmit(data, bits, key, functionOrNone(cb));
  }

  sendFrame(list, cb) {
    this._link.write(list, functionOrNone(cb));
  }

  get _destroyed() {
    return this._link.destroyed;
  }
}

function functionOrNone(cb) {
  return typeof cb === 'function' ? cb : undefined;
}

module.exports = LinkSender;
