'use strict';

const net = require('net');

const {
  FrameReader,
  bytesOf,
  countOf,
  frameOf,
  messageFrame,
  topicOf,
  typeOf,
  types
} = require('./frames');
const { MAX_PENDING, checkBytes, checkText } = require('./options');
const Relay = require('./relay');
const endSocket = require('./end-socket');

const { CONFIRMED, LOST, MESSAGE, SUBSCRIBE, UNSUBSCRIBE } = types;

/** Nobody listens: there is no socket, or one that was left behind. */
const NOBODY = ['ECONNREFUSED', 'ENOENT'];

/** Milliseconds until the next try while somebody else begins to listen. */
const SHORT_DELAY = 20;
/** And where there is something wrong. */
const LONG_DELAY = 1000;

/**
 * Connects topics of the processes of a machine, without a broker: one of them,
 * the relay, listens on a Unix domain socket, or a pipe of Windows, and passes on
 * what the others publish. When it goes, the next one takes its place.
 */
class MachineBackplane {
  /**
   * @param {Object} options
   * @param {string} options.path Of the socket; those of the same path are connected
   * @param {number} [options.maxPending] Bytes that may wait for each of them
   * @throws {TypeError} If an option is wrong
   */
  constructor({ path, maxPending = MAX_PENDING }) {
    this._path = checkText('path', path);
    this._maxPending = checkBytes('maxPending', maxPending);
    /** @type {?net.Socket} */
    this._socket = null;
    /** @type {?Relay} */
    this._relay = null;
    /** What was published while there is no connection, and its bytes. */
    this._waiting = [];
    this._waitingBytes = 0;
    this._isCorked = false;
    /** Whether messages, and not subscriptions alone, were written to the socket. */
    this._hasPublished = false;
    this._isClosed = false;
    /** @type {Map<string, Subscription>} */
    this._subscriptions = new Map();
    /** Those that the relay has still to confirm. @type {Subscription[]} */
    this._asked = [];
    this._timer = undefined;
    this._connecting = null;
    this._deliver = null;
    this._fail = null;
  }

  /**
   * @param {function(string, Uint8Array): void} deliver
   * @param {function(Error): void} fail
   */
  start(deliver, fail) {
    this._deliver = deliver;
    this._fail = fail;
    this._reconnect();
  }

  /**
   * @param {string} topic
   * @return {Promise<void>} Resolves when the relay has it
   */
  subscribe(topic) {
    const subscription = new Subscription(topic);

    this._subscriptions.set(topic, subscription);
    if (this._socket) this._ask(subscription);

    return subscription.confirmed;
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    this._subscriptions.get(topic)?.confirm();
    this._subscriptions.delete(topic);
    if (this._socket) this._write(frameOf(UNSUBSCRIBE, topic));
  }

  /** @param {string} topic @param {Uint8Array} bytes */
  publish(topic, bytes) {
    const frame = messageFrame(topic, bytes);
    const waits = this._socket?.writableLength ?? this._waitingBytes;

    if (waits > 0 && waits + frame.length > this._maxPending) {
      throw new Error('A message was not published: too much waits before it');
    }

    if (this._socket) {
      this._hasPublished = true;
      this._write(frame);
    } else {
      this._waiting.push(frame);
      this._waitingBytes += frame.length;
    }
  }

  async close() {
    this._isClosed = true;
    clearTimeout(this._timer);
    await this._connecting;
    for (const { confirm } of this._subscriptions.values()) confirm();
    // The relay, too, has then read all that was published here.
    if (this._socket) await endSocket(this._socket);
    if (this._relay) await this._relay.close();
  }

  _reconnect() {
    this._connecting = this._connect();
  }

  async _connect() {
    try {
      this._onConnect(await dial(this._path));
    } catch (err) {
      if (this._isClosed) return;
      if (NOBODY.includes(err.code)) await this._listen();
      else this._onFailure(err);
    }
  }

  /** Becomes the relay, unless somebody else does, and connects to it. */
  async _listen() {
    try {
      // If there is one, its socket was removed.
      await this._relay?.close();
      this._relay = null;
      this._relay = await Relay.listen(this._path, this._maxPending);
    } catch (err) {
      this._onFailure(err);
      return;
    }

    if (this._isClosed) return;
    if (this._relay) await this._connect();
    else this._later(SHORT_DELAY);
  }

  _onFailure(err) {
    this._fail(err);
    this._later(LONG_DELAY);
  }

  _later(delay) {
    this._timer = setTimeout(() => this._reconnect(), delay);
    this._timer.unref();
  }

  _onConnect(socket) {
    const reader = new FrameReader((frame) => this._onFrame(frame));

    this._socket = socket;
    this._asked = [];
    this._hasPublished = this._waiting.length > 0;
    socket.unref();
    socket.on('data', (chunk) => reader.read(chunk));
    socket.on('error', (err) => this._onSocketError(err));
    socket.on('close', () => {
      this._socket = null;
      this._isCorked = false;
      if (!this._isClosed) this._reconnect();
    });

    for (const subscription of this._subscriptions.values()) {
      this._ask(subscription);
    }
    for (const frame of this._waiting.splice(0)) this._write(frame);
    this._waitingBytes = 0;
  }

  /** 'close' follows. After an error of writing it is not known any more what waited. */
  _onSocketError(err) {
    const isUnsent = this._socket.writableLength > 0 || err.syscall === 'write';

    if (isUnsent && this._hasPublished && !this._isClosed) {
      this._fail(
        new Error('Messages were lost with the connection to the relay', {
          cause: err
        })
      );
    }
  }

  _onFrame(frame) {
    if (this._isClosed) return;

    switch (typeOf(frame)) {
      case MESSAGE:
        this._deliver(topicOf(frame), bytesOf(frame));
        break;
      case CONFIRMED:
        this._asked.shift()?.confirm();
        break;
      case LOST:
        this._fail(new Error(`Messages were lost: ${countOf(frame)}`));
    }
  }

  /** @param {Subscription} subscription */
  _ask(subscription) {
    this._asked.push(subscription);
    this._write(frameOf(SUBSCRIBE, subscription.topic));
  }

  /** What is written in a tick leaves together. */
  _write(frame) {
    const socket = this._socket;

    if (!this._isCorked) {
      this._isCorked = true;
      socket.cork();
      process.nextTick(() => {
        // Another one begins without.
        if (this._socket === socket) this._isCorked = false;
        socket.uncork();
      });
    }

    socket.write(frame);
  }
}

/** A topic, and whether the relay knows that it is subscribed to. */
class Subscription {
  constructor(topic) {
    this.topic = topic;
    this.confirm = () => {};
    this.confirmed = new Promise((resolve) => {
      this.confirm = () => resolve(undefined);
    });
  }
}

/** @return {Promise<net.Socket>} One that is connected */
function dial(path) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path });

    socket.on('connect', () => resolve(socket));
    // Later on 'close' follows, and says enough.
    socket.on('error', reject);
  });
}

/** @param {ConstructorParameters<typeof MachineBackplane>[0]} options */
const machineBackplane = (options) => new MachineBackplane({ ...options });

module.exports = machineBackplane;
