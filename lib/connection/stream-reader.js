'use strict';

const { EMPTY } = require('../payload');

/**
 * @typedef {(import('./native-connection')|import('./stream-connection'))} Connection
 * @typedef {import('stream').Duplex} Duplex
 * @typedef {import('../receiver')} Receiver
 */

/** Those whose stream is corked now; null until there is one. */
let corking = null;

/** The process exits: what was sent leaves, and what is sent from here on. */
function releaseAll() {
  for (const reader of corking) reader.stopCorking();
}

/** Carries what a stream brings to the receiver of a WebSocket. */
class StreamReader {
  /**
   * @param {Connection} connection Told of the end with `_onEnd()` and `_deliverClose()`
   * @param {Duplex} socket
   * @param {Receiver} receiver
   */
  constructor(connection, socket, receiver) {
    this.receiver = receiver;
    /** Bytes that came. */
    this.bytesReceived = 0;
    /** The answers to a chunk leave together. */
    this.corksAnswers = false;
    this._connection = connection;
    this._socket = socket;
    this._corks = 0;
    /** The callbacks of what leaves together. */
    this._callbacks = [];
    this._isExposed = false;
    this._waits = false;
    this._onData = (chunk) => this._feed(chunk);
    this._onEnd = () => {
      receiver.end();
      connection._onEnd();
    };
  }

  start() {
    const { _socket: socket } = this;

    socket.on('data', this._onData);
    socket.on('end', this._onEnd);
  }

  /**
   * Goes on where the connection was, unless that is paused: with events that it held
   * back, and a task that its endpoint waits for.
   */
  takeOver(events, task) {
    if (events.length === 0 && task === undefined) return;

    this.receiver.takeOver(events, task);
    if (this._connection.isPaused) this._waits = true;
    else this.receiver.write(EMPTY);
  }

  _feed(chunk) {
    const { _socket: socket } = this;

    this.bytesReceived += chunk.length;

    if (!this.corksAnswers || !socket.cork) {
      if (!this.receiver.write(chunk)) socket.pause();
      return;
    }

    if (corking === null) {
      corking = [];
      process.prependListener('exit', releaseAll);
    }

    corking.push(this);
    this._corks++;
    socket.cork();
    if (!this.receiver.write(chunk)) socket.pause();

    // What leaves alone need not be queued first.
    const isAlone = socket.writableLength === 0;

    if (isAlone) socket.uncork();
    this.writeCorked();
    if (!isAlone) socket.uncork();
    this._corks--;
    corking.pop();
  }

  stopCorking() {
    this.corksAnswers = false;
    this.writeCorked();
    for (let i = 0; i < this._corks; i++) this._socket.uncork();
  }

  /**
   * Sends a frame: one that answers a chunk with the others that do.
   *
   * @param {function(Error=): void} [cb]
   */
  send(data, flags, key, cb) {
    const { endpoint, _socket: socket } = this;

    if (!this.corksAnswers || this._corks === 0 || this._isExposed) {
      socket.write(endpoint.frame(data, flags, key), cb);
      return;
    }

    if (!endpoint.hasRoom) {
      this.writeCorked();
      endpoint.makeRoom();
    }

    const frame = endpoint.appendFrame(data, flags, key);

    if (frame !== null) {
      this.writeCorked();
      socket.write(frame, cb);
    } else if (cb !== undefined) {
      this._callbacks.push(cb);
    }
  }

  /**
   * Somebody may write to it himself, cork it or destroy it: what was sent leaves,
   * and each frame is given to it at once.
   */
  exposeSocket() {
    if (this._isExposed && this._corks === 0) return;

    this._isExposed = true;
    this.flush();
  }

  /** Gives the stream what leaves together. */
  writeCorked() {
    const { endpoint, _callbacks: callbacks } = this;

    if (!endpoint.hasFrames) return;

    this._callbacks = [];
    this._socket.write(
      endpoint.takeFrames(),
      callbacks.length === 0
        ? undefined
        : (err) => callbacks.forEach((callback) => callback(err))
    );
  }

  /**
   * Has written what listeners have sent so far: it is to leave, or somebody asks
   * how much waits.
   */
  flush() {
    this.writeCorked();
    for (let i = 0; i < this._corks; i++) this._socket.uncork();
    for (let i = 0; i < this._corks; i++) this._socket.cork();
  }

  resumeSocket() {
    this._socket.resume();
  }

  ignore() {
    this._socket.removeListener('data', this._onData);
  }

  pause() {
    this._socket.pause();
  }

  resume() {
    this._continue();
    if (!this.receiver.writableNeedDrain) this._socket.resume();
  }

  /** Has the receiver go on with what was taken over. */
  _continue() {
    if (!this._waits) return;

    this._waits = false;
    this.receiver.write(EMPTY);
  }

  /** That of the receiver, which also makes the frames to send. */
  get endpoint() {
    return this.receiver._endpoint;
  }

  /** Nothing is wanted any more but the end. */
  stop() {
    this.ignore();
    this._socket.resume();
  }

  /** The stream is closed. What it holds because it is paused came before. */
  close() {
    const { _socket: socket, receiver } = this;
    const isListening = socket.listeners('data').includes(this._onData);

    this.ignore();
    socket.removeListener('end', this._onEnd);
    this._continue();

    if (isListening && !socket.readableEnded) {
      while (socket.readableLength > 0) receiver.write(socket.read());
    }

    receiver.end();

    if (receiver.writableFinished || hasFailed(receiver)) {
      this._finish();
    } else {
      receiver.on('error', () => this._finish());
      receiver.on('finish', () => this._finish());
    }
  }

  _finish() {
    this.endpoint.free();
    this._connection._deliverClose();
  }
}

/** Its 'error' was emitted. */
function hasFailed(receiver) {
  return receiver._writableState.errorEmitted;
}

module.exports = StreamReader;
