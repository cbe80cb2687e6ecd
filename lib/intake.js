'use strict';

/** @typedef {import('./feed').Endpoint} Endpoint */

/** Carries what a stream brings to an endpoint, and its events to a link. */
class Intake {
  /**
   * @param {any} link A link whose events these are
   * @param {any} socket A Duplex
   * @param {Endpoint} endpoint
   */
  constructor(link, socket, endpoint) {
    this.isFed = true;
    this.endpoint = endpoint;
    this._link = link;
    this._socket = socket;
    this._onData = (chunk) => this._feed(chunk);
    this._onEnd = () => link._onEnd();
  }

  start() {
    this._socket.on('data', this._onData);
    this._socket.on('end', this._onEnd);
  }

  /** The answers to a chunk leave together. */
  _feed(chunk) {
    const { _socket: socket } = this;

    if (socket.cork) socket.cork();
    this.endpoint.feed(chunk, this);
    if (socket.uncork) socket.uncork();
  }

  receive(events) {
    while (events.next()) this._link._deliver(events, events.kind);
  }

  /** Nothing is wanted any more but the end. */
  stop() {
    this._socket.removeListener('data', this._onData);
  }

  /** The stream is closed. What it holds because it is paused came before. */
  close() {
    const { _socket: socket } = this;
    const isListening = socket.listeners('data').includes(this._onData);

    socket.removeListener('data', this._onData);
    socket.removeListener('end', this._onEnd);

    if (isListening && !socket.readableEnded && socket.readableLength > 0) {
      const chunk = socket.read();

      if (chunk !== null) this.endpoint.feed(chunk, this);
    }

    this.endpoint.free();
  }
}

module.exports = Intake;
