'use strict';

const native = require('../native/addon');
const { Endpoint } = require('../native/endpoint');
const StreamReader = require('./stream-reader');
const Connection = require('./connection');
const onceDrained = require('./once-drained');
const refuseEnded = require('./refuse-ended');
const { COMPRESS, KEY, MASK } = require('../native/frame-flags');
const { kinds } = require('../native/bridge');
const callGuarded = require('../native/call-guarded');
const timers = require('../node/timers');
const { byteLength } = require('../payload');

const { END } = kinds;

/**
 * From this length on messages are compressed on another thread, in bytes:
 * `POOL_LEN` of `src/protocol/deflate/mod.rs`.
 */
const LONG = 32 * 1024;

/** Above this a payload is written as it is, after its header. */
const MERGED = 16 * 1024;

/** @typedef {import('net').Socket} Duplex A socket, or what looks like one */

/** A WebSocket over any Duplex: JavaScript carries the bytes. */
class StreamConnection extends Connection {
  /**
   * @param {Duplex} socket
   * @param {Buffer} early What was read of it already
   */
  constructor(socket, early) {
    super();

    this.socket = socket;
    this.early = early;
    /** A program may see what its `Receiver` makes of the bytes. */
    this.isReceiverObserved = false;

    /** Bytes of frames that wait in the socket, and of what is in them. */
    this._frameBytes = 0;
    this._payloadBytes = 0;
    /** Bytes of what the socket took at once in this tick, if that is counted. */
    this._bytesOfTick = 0;
    this._countsTick = false;
    /** Who waits for a message that is compressed on another thread. */
    this._onFrame = null;
    /** Somebody waits for the stream to drain. */
    this._awaitsDrain = false;
  }

  /** The socket, for who may write to it: what was sent comes first. */
  get exposedSocket() {
    this._reader?.exposeSocket();

    return this.socket;
  }

  /** Which way its bytes go, for tests and support. */
  get route() {
    return 'stream';
  }

  /** A long message is compressed elsewhere. A long string is not measured. */
  compressesLater(data) {
    return data.length >= LONG || byteLength(data) >= LONG;
  }

  /** Calls back with the frame of a long message, to be written to the stream. */
  frameLater(data, flags, key, callback) {
    this._onFrame = callback;
    this._reader.endpoint.frameLater(data, flags, key, (frame) =>
      this._endFrame(frame)
    );
  }

  _endFrame(frame) {
    const { _onFrame: onFrame } = this;

    this._onFrame = null;
    onFrame?.(frame);
  }

  abortCompression() {
    this._endFrame(undefined);
  }

  start(websocket, handler, options) {
    super.start(websocket, handler, options);

    const { socket } = this;

    // Not every Duplex has these.
    if (socket.setTimeout) socket.setTimeout(0);
    if (socket.setNoDelay) socket.setNoDelay();
    if (this.early && this.early.length > 0) socket.unshift(this.early);
    this.early = null;

    socket.once('close', () => this._onClose());
    this._reader = new StreamReader(
      this,
      socket,
      handler.createReceiver(websocket, Endpoint.create(options))
    );
    this._reader.corksAnswers = true;
    this._reader.start();
    socket.on('error', () => this._onError());
  }

  _onEnd() {
    this.emitEvent(END, 0);
  }

  _onError() {
    this._handler.disconnect(this.websocket);
    this.socket.destroy();
  }

  _onClose() {
    this._handler.disconnect(this.websocket);
    this._reader.close();
  }

  /** What decodes the bytes; from when it is accessed, at the pace of `ws`. */
  get receiver() {
    const { receiver } = this._reader;

    this.isReceiverObserved = true;
    receiver._endpoint.deferInflation();

    return receiver;
  }

  transmit(data, flags, key, cb) {
    cb &&= guarded(cb);

    if (refuseEnded(this.socket, cb)) return;

    if (flags & COMPRESS || this._frameBytes > 0 || this._bytesOfTick > 0) {
      this._transmitCounted(data, flags, key, cb);
    } else {
      this._transmit(data, flags, key, cb);
    }
  }

  _transmit(data, flags, key, cb) {
    const isChanged = (flags & (MASK | KEY | COMPRESS)) !== 0;

    if (isChanged || typeof data === 'string' || data.length <= MERGED) {
      this._reader.send(data, flags, key, cb);
    } else {
      this._write([native.encodeHeader(data.length, flags, 0), data], cb);
    }
  }

  /**
   * As with `ws`, which compresses later, a compressed message counts with its
   * own length and not its frame's, and so does what is sent after it, until
   * the socket has written all of it, and at least to the end of this tick.
   */
  _transmitCounted(data, flags, key, cb) {
    const { socket } = this;

    this._reader.writeCorked();

    const before = socket.writableLength;

    if (before === 0) this._frameBytes = this._payloadBytes = 0;
    // In front of what tells that it is written.
    if (!this._countsTick) timers.nextTick(endTick, this);
    this._countsTick = true;
    this._transmit(data, flags, key, cb);
    this._reader.writeCorked();

    const length = socket.writableLength - before;

    if (!(length > 0)) {
      this._bytesOfTick += byteLength(data);
    } else if (flags & COMPRESS || this._frameBytes > 0) {
      this._frameBytes += length;
      this._payloadBytes += byteLength(data);
    }
  }

  /** Bytes that were sent and are not written, as `bufferedAmount` counts them. */
  get bufferedBytes() {
    const { _frameBytes: frames, _payloadBytes: payloads } = this;
    const written = this.writableLength;
    const isCounted = frames > 0 && written >= frames;
    const waiting = isCounted ? written - frames + payloads : written;

    return waiting + this._bytesOfTick;
  }

  writeFrames(list, cb) {
    this._write(list, cb && guarded(cb));
  }

  _write(list, cb) {
    const { socket } = this;
    const last = list.length - 1;

    this._reader?.writeCorked();
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

  /** The same without a try to write. */
  get queuedBytes() {
    this._reader?.writeCorked();
    return this.socket.writableLength ?? 0;
  }

  /**
   * A number that grows as the peer reads: what the kernel took, if there is one
   * below. What a stream was given it counts as written, or as waiting until all of
   * that write has left.
   */
  get bytesTaken() {
    const { _handle: handle } = /** @type {any} */ (this.socket);
    const { bytesWritten, writeQueueSize } = handle?._parent ?? handle ?? {};

    return writeQueueSize === undefined
      ? -this.queuedBytes
      : bytesWritten - writeQueueSize;
  }

  get bytesToCompress() {
    return 0;
  }

  /** Has `onBufferedAmountLow()` called once no more than so many bytes are queued, or none. */
  notifyBufferedAmountLow(threshold) {
    if (this.queuedBytes <= threshold || this._awaitsDrain) return;

    this._awaitsDrain = true;
    onceDrained(this.socket, () => {
      this._awaitsDrain = false;
      this.onBufferedAmountLow();
    });
  }

  /** Bytes that came. */
  get bytesReceived() {
    return this._reader.bytesReceived;
  }

  /** Bytes that the stream took, if it counts them. */
  get bytesSent() {
    return this.socket.bytesWritten ?? 0;
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

  /** Has the stream write what was sent: it may be corked. */
  flush() {
    this._reader.flush();
  }

  end() {
    this._reader?.writeCorked();
    this.socket.end();
  }

  destroy(err) {
    // What is corked would be lost.
    this._reader?.flush();
    this.socket.destroy(err);
  }

  /** Nothing is wanted of the peer any more but its FIN. */
  stopReceiving() {
    this.resume();
    this._reader.stop();
  }
}

function endTick(connection) {
  connection._bytesOfTick = 0;
  connection._countsTick = false;
}

/**
 * What the callback of a send throws is uncaught, and no harm to the stream:
 * Node's would forget that it is to finish, and never close.
 */
function guarded(cb) {
  return (err) => callGuarded(cb, err);
}

module.exports = StreamConnection;
