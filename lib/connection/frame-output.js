'use strict';

const { COMPRESS, FIN } = require('../native/frame-flags');

/** @typedef {import('../sender')} Sender */

/**
 * The output of a `SendQueue` that is a stream. The frames pass through
 * `Sender.frame()` and `sender.sendFrame()`, which programs replace.
 */
class FrameOutput {
  /** @param {Sender} sender */
  constructor(sender) {
    this._sender = sender;
  }

  get isDestroyed() {
    return this._sender._socket.destroyed;
  }

  get isEnding() {
    return this.isDestroyed;
  }

  onDequeued() {}

  makeIndirect() {}

  /** Whether a program observes what becomes of messages. */
  get isObserved() {
    return true;
  }

  get isCompressing() {
    return false;
  }

  onceCompressed(callback) {
    callback();
  }

  get awaitingFirstRead() {
    return false;
  }

  onceFirstReadDone(callback) {
    callback();
  }

  compressesLater() {
    return true;
  }

  /**
   * Compresses a message on another thread.
   *
   * @param {(string|Uint8Array)} data
   * @param {number} flags
   * @param {function((import('./send-queue').Transmit|undefined)): void} callback
   *     Without one if it could not be compressed
   */
  compress(data, flags, callback) {
    const deflate = this._sender._extensions['permessage-deflate'];

    deflate.compress(data, (flags & FIN) !== 0, (_, compressed) => {
      callback((cb) => this.transmit(compressed, flags & ~COMPRESS, cb));
    });
  }

  /**
   * Frames and writes a payload.
   *
   * @param {(string|Uint8Array)} data
   * @param {number} flags
   * @param {function(Error=): void} [cb]
   */
  transmit(data, flags, cb) {
    this._sender._sendOwnFrame(data, flags, cb);
  }

  /**
   * Writes the pieces of a frame.
   *
   * @param {(string|Uint8Array)[]} list
   * @param {function(Error=): void} [cb]
   */
  write(list, cb) {
    const { _socket: socket } = this._sender;
    const last = list.length - 1;

    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(list[i]);
    socket.write(list[last], cb);
    if (last > 0) socket.uncork();
  }
}

module.exports = FrameOutput;
