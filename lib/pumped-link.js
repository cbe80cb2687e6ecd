'use strict';

const native = require('./native');
const { Endpoint } = require('./feed');
const Link = require('./link');
const { KEY, MASK } = require('./bits');

/** Above this a payload is written as it is, behind its header. */
const MERGED = 16 * 1024;

/** A WebSocket over any Duplex: JavaScript carries the bytes. */
class PumpedLink extends Link {
  /**
   * @param {Duplex} socket
   * @param {Buffer} head What was read of it already
   */
  constructor(socket, head) {
    super();

    this.isFed = true;
    this.socket = socket;
    this._head = head;
    this._endpoint = null;
    this._onData = (chunk) => this._feed(chunk);
    this._onEnd = () => handlerOf(this).end(this.websocket);
  }

  start(websocket, handler, options) {
    super.start(websocket, handler, options);

    const { socket } = this;

    this._endpoint = new Endpoint(options);

    // Not every Duplex has these.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();
    if (this._head && this._head.length > 0) socket.unshift(this._head);
    this._head = null;

    socket.once('close', () => this._onClose());
    socket.on('data', this._onData);
    socket.on('end', this._onEnd);
    socket.on('error', () => this._onError());
  }

  /** What a chunk means; the answers to it leave together. */
  _feed(chunk) {
    const { socket } = this;

    if (socket.cork) socket.cork();
    this._endpoint.feed(chunk, this);
    if (socket.uncork) socket.uncork();
  }

  receive(events) {
    while (events.next()) this._deliver(events, events.kind);
  }

  _onError() {
    if (this.websocket._readyState === 1) this.websocket._readyState = 2;
    this.socket.destroy();
  }

  _onClose() {
    const { socket } = this;

    socket.removeListener('data', this._onData);
    socket.removeListener('end', this._onEnd);

    // What a paused socket holds came before it was closed.
    if (!socket.readableEnded && socket.readableLength > 0) {
      const chunk = socket.read();

      if (chunk !== null) this._endpoint.feed(chunk, this);
    }

    this._endpoint.free();
    this._deliverClose();
  }

  transmit(data, bits, key, cb) {
    const { socket } = this;
    const isMasked = (bits & (MASK | KEY)) !== 0;

    if (isMasked || typeof data === 'string' || data.length <= MERGED) {
      socket.write(this._endpoint.frame(data, bits, key), cb);
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

  get destroyed() {
    return this.socket.destroyed;
  }

  get writableLength() {
    return this.socket.writableLength;
  }

  get finished() {
    return this.socket.writableFinished;
  }

  onceFinished(fn) {
    this.socket.once('finish', fn);
  }

  _stopReading() {
    this.socket.pause();
  }

  _startReading() {
    this.socket.resume();
  }

  end() {
    this.socket.end();
  }

  destroy() {
    this.socket.destroy();
  }

  /** Nothing is wanted of the peer any more but its FIN. */
  stopReceiving() {
    this.socket.removeListener('data', this._onData);
    this.resume();
  }
}

function handlerOf(link) {
  return link._handler;
}

module.exports = PumpedLink;
