'use strict';

const { Duplex } = require('stream');

/**
 * One of two ends in memory: what one writes the other reads, with
 * back-pressure, FIN and an abrupt end, as between two sockets.
 */
class MemorySocket extends Duplex {
  #peer = null;
  #isEndSent = false;
  #isWaiting = false;
  #callback = null;

  /** @returns {[MemorySocket, MemorySocket]} connected with each other */
  static pair(options) {
    const ends = [new MemorySocket(options), new MemorySocket(options)];

    ends[0].#peer = ends[1];
    ends[1].#peer = ends[0];
    return ends;
  }

  _read() {
    if (this.#peer.#isWaiting) this.#peer.#goOn();
  }

  _write(chunk, encoding, callback) {
    const peer = this.#peer;

    this.#callback = callback;
    if (peer.destroyed || peer.push(Buffer.from(chunk))) this.#goOn();
    else this.#isWaiting = true;
  }

  _final(callback) {
    this.#sendEnd();
    callback();
  }

  _destroy(err, callback) {
    const unwritten = this.#callback;

    this.#callback = null;
    this.#sendEnd();
    // Who writes to this end must not wait for ever.
    this._read();
    if (unwritten !== null) unwritten(destroyed());
    setImmediate(callback, err);
  }

  #goOn() {
    this.#isWaiting = false;
    setImmediate(() => {
      const callback = this.#callback;

      this.#callback = null;
      if (callback !== null) callback();
    });
  }

  #sendEnd() {
    if (this.#isEndSent) return;

    this.#isEndSent = true;
    if (!this.#peer.destroyed) this.#peer.push(null);
  }
}

/** As of Node's own streams. */
function destroyed() {
  return Object.assign(new Error('Cannot call write after destroy'), {
    code: 'ERR_STREAM_DESTROYED'
  });
}

module.exports = MemorySocket;
