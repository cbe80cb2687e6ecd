'use strict';

const { MAX_PENDING, checkBytes, checkText } = require('./options');
const Pending = require('./pending');
const clientOf = require('./redis-clients');
const within = require('./within');

/** Milliseconds after which a subscription that failed is tried again. */
const RETRY_DELAY = 1000;

/** Milliseconds that the end waits for a broker which does not answer. */
const CLOSE_TIMEOUT = 1000;

/**
 * Connects topics through Redis, or what speaks its protocol. The clients are
 * the program's: they connect again, and subscribe again when they have.
 */
class RedisBackplane {
  /**
   * @param {Object} options
   * @param {any} options.publisher A client of ioredis or of node-redis
   * @param {any} options.subscriber Another one, which does nothing else
   * @param {string} options.prefix What the names of the channels begin with
   * @param {boolean} [options.sharded=false] Whether to use sharded channels
   * @param {number} [options.maxPending] Bytes that may wait for the broker, or
   *     for each node of a cluster
   * @throws {TypeError} If an option is wrong
   */
  constructor({
    publisher,
    subscriber,
    prefix,
    sharded = false,
    maxPending = MAX_PENDING
  }) {
    this._publisher = clientOf('publisher', publisher, sharded);
    this._subscriber = clientOf('subscriber', subscriber, sharded);
    this._prefix = checkText('prefix', prefix);
    this._maxPending = checkBytes('maxPending', maxPending);
    /** By node: one that is away must not take the room of the others. */
    this._pending = new Map();
    /** Topics that are subscribed to, and when to try again where that failed. */
    this._topics = new Map();
    this._fail = null;
  }

  /**
   * @param {function(string, Uint8Array): void} deliver
   * @param {function(Error): void} fail
   */
  start(deliver, fail) {
    this._fail = fail;
    this._subscriber.start((bytes, channel) => {
      const name = channel.toString();
      const topic = name.slice(this._prefix.length);

      // The client may have channels of others, and what nobody wants any more may
      // be on its way.
      if (name.startsWith(this._prefix) && this._topics.has(topic)) {
        deliver(topic, bytes);
      }
    });
  }

  /** @param {string} topic */
  async subscribe(topic) {
    const attempt = { timer: undefined };

    this._topics.set(topic, attempt);

    try {
      await this._subscriber.subscribe(this._prefix + topic);
    } catch (err) {
      // Nobody else knows that it is still wanted.
      if (this._topics.get(topic) === attempt) this._retry(topic, attempt);

      throw err;
    }
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    clearTimeout(this._topics.get(topic)?.timer);
    this._topics.delete(topic);

    return this._subscriber.unsubscribe(this._prefix + topic);
  }

  /** @param {string} topic @param {Uint8Array} bytes */
  async publish(topic, bytes) {
    const channel = this._prefix + topic;
    const pending = this._pendingOf(this._publisher.nodeOf(channel));

    pending.add(bytes.length);

    try {
      await this._publisher.publish(channel, bytes);
    } finally {
      pending.remove(bytes.length);
    }
  }

  /** The clients stay open. */
  async close() {
    const ended = Promise.all(
      [...this._topics.keys()].map((topic) => this.unsubscribe(topic))
    );

    try {
      await within(CLOSE_TIMEOUT, ended);
    } finally {
      this._subscriber.stop();
      this._publisher.stop();
    }
  }

  _pendingOf(node) {
    let pending = this._pending.get(node);

    if (!pending) {
      pending = new Pending(this._maxPending);
      this._pending.set(node, pending);
    }
    return pending;
  }

  _retry(topic, attempt) {
    attempt.timer = setTimeout(() => {
      this.subscribe(topic).catch(this._fail);
    }, RETRY_DELAY);
    attempt.timer.unref();
  }
}

/** @param {ConstructorParameters<typeof RedisBackplane>[0]} options */
const redisBackplane = (options) => new RedisBackplane({ ...options });

module.exports = redisBackplane;
