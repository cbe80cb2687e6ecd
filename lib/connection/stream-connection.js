'use strict';

const native = require('../native/addon');
const { Endpoint } = require('../native/endpoint');
const StreamReader = require('./stream-reader');
const Connection = require('./connection');
const { COMPRESS, KEY, MASK } = require('../native/frame-flags');
const { kinds } = require('../native/bridge');

const { END } = kinds;

/** Above this a payload is written as it is, behind its header. */
const MERGED = 16 * 1024;

/** @typedef {import('net').Socket} Duplex A socket, or what looks like one */

/** A WebSocket over any Duplex: JavaScript carries the bytes. */
class StreamConnection extends Connection {
  /**
   * @param {Duplex} socket
   * @param {Buffer} head What was read of it already
   */
  constructor(socket, head) {
    super();

    this.socket = socket;
    this.head = head;
    /** Somebody looks inside. */
    this.isWatched = false;
  }

  get exposedSocket() {
    return this.socket;
  }

  /** The sender has messages compressed. */
  get compresses() {
    return false;
  }

  start(websocket, handler, options) {
    super.start(websocket, handler, options);

    const { socket } = this;

    // Not every Duplex has these.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();
    if (this.head && this.head.length > 0) socket.unshift(this.head);
    this.head = null;

    socket.once('close', () => this._onClose());
    this._reader = new StreamReader(
      this,
      socket,
      handler.createReceiver(websocket, Endpoint.create(options))
    );
    this._reader.gathers = true;
    this._reader.start();
    socket.on('error', () => this._onError());
  }

  _onEnd() {
    this._emit(END, 0);
  }

  _onError() {
    this._handler.disconnect(this.websocket);
    this.socket.destroy();
  }

  _onClose() {
    this._reader.close();
  }

  /** What decodes the bytes, for who looks at it: at the pace of `ws`. */
  get receiver() {
    const { receiver } = this._reader;

    this.isWatched = true;
    receiver._endpoint.deferInflation();

    return receiver;
  }

  transmit(data, bits, key, cb) {
    const { socket } = this;
    const isChanged = (bits & (MASK | KEY | COMPRESS)) !== 0;

    if (isChanged || typeof data === 'string' || data.length <= MERGED) {
      socket.write(this._reader.endpoint.frame(data, bits, key), cb);
    } else {
      this.write([native.encodeHeader(data.length, bits, 0), data], cb);
    }
  }

  write(list, cb) {
    const { socket } = this;
    const last = list.length - 1;

    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(list[i]);
    socket.write(list[last], cb);
    if (last > 0) socket.uncork();
  }

  get ending() {
    return this.socket.writableEnded;
  }

  get destroyed() {
    return this.socket.destroyed;
  }

  get writableLength() {
    this._reader.flush();
    return this.socket.writableLength;
  }

  get finished() {
    return this.socket.writableFinished;
  }

  onceFinished(fn) {
    this.socket.once('finish', fn);
  }

  pause() {
    super.pause();
    this._reader.pause();
  }

  resume() {
    super.resume();
    this._reader.resume();
  }

  end() {
    this.socket.end();
  }

  destroy() {
    this.socket.destroy();
  }

  /** Nothing is wanted of the peer any more but its FIN. */
  stopReceiving() {
    this.resume();
    this._reader.stop();
  }
}

module.exports = StreamConnection;
