'use strict';

const { Writable } = require('stream');

const { fromBinary } = require('./payload');
const { Feed } = require('./feed');

/** @typedef {import('./permessage-deflate')} PerMessageDeflate */

/**
 * Decodes the bytes of one direction: a `Writable` that emits what they hold,
 * inside `write()` unless told otherwise.
 *
 * Events: `message` (data, isBinary), `ping` (data), `pong` (data), `conclude`
 * (code, reason), and `error` for what breaks the protocol or a limit.
 */
class Receiver extends Writable {
  /**
   * @param {Object} [options]
   * @param {boolean} [options.allowSynchronousEvents=true] `false`: one event
   *     a macrotask at most
   * @param {string} [options.binaryType='nodebuffer']
   * @param {Object<string, PerMessageDeflate>} [options.extensions] The
   *     negotiated extensions
   * @param {boolean} [options.isServer=false]
   * @param {number} [options.maxBufferedChunks=0] 0 is no limit, here as below
   * @param {number} [options.maxFragments=0]
   * @param {number} [options.maxPayload=0] In bytes
   * @param {boolean} [options.skipUTF8Validation=false]
   */
  constructor(options = {}) {
    super();

    const { allowSynchronousEvents = true } = options;

    this._binaryType = options.binaryType || 'nodebuffer';
    this._deferred = [];
    this._violation = null;
    this._visitor = this._createVisitor(
      allowSynchronousEvents
        ? (event, ...values) => this.emit(event, ...values)
        : (event, ...values) => this._deferred.push([event, values])
    );
    this._feed = new Feed({
      extensions: options.extensions || {},
      isServer: Boolean(options.isServer),
      maxBufferedChunks: Math.max(options.maxBufferedChunks | 0, 0),
      maxFragments: Math.max(options.maxFragments | 0, 0),
      maxPayload: Math.max(options.maxPayload | 0, 0),
      skipUTF8Validation: Boolean(options.skipUTF8Validation)
    });
  }

  _createVisitor(emit) {
    return {
      message: (data, isBinary, lengths) => {
        const message = isBinary
          ? fromBinary(this._binaryType, data, lengths)
          : data;

        emit('message', message, isBinary);
      },
      ping: (data) => emit('ping', data),
      pong: (data) => emit('pong', data),
      conclude: (code, reason) => {
        emit('conclude', code, reason);
        process.nextTick(() => this.end());
      },
      violation: (err) => {
        this._violation = err;
      }
    };
  }

  _write(chunk, encoding, callback) {
    this._feed.feed(chunk, this._visitor);
    this._emitDeferred(callback);
  }

  _emitDeferred(callback) {
    if (this._deferred.length === 0) {
      callback(this._violation);
      return;
    }

    setImmediate(() => {
      const [event, values] = this._deferred.shift();

      this.emit(event, ...values);
      this._emitDeferred(callback);
    });
  }
}

module.exports = Receiver;
