'use strict';

const { checkPrefix, subjectOf } = require('./nats-subjects');
const { MAX_PENDING, checkBytes } = require('./options');
const { Assembler, Divider } = require('./parts');
const Pending = require('./pending');

/** What a connection must be able to do. */
const METHODS = ['flush', 'isClosed', 'publish', 'subscribe'];

/** What a server takes unless it says otherwise. */
const MAX_PAYLOAD = 1024 * 1024;

/**
 * Connects topics through NATS. The connection is the program's: it connects
 * again, and subscribes again when it has.
 */
class NatsBackplane {
  /**
   * @param {Object} options
   * @param {any} options.connection Of the package nats, or what follows it
   * @param {string} options.prefix What the subjects begin with
   * @param {number} [options.maxPending] Bytes that may wait for the broker
   * @throws {TypeError} If an option is wrong
   */
  constructor({ connection, prefix, maxPending = MAX_PENDING }) {
    if (METHODS.some((name) => typeof connection?.[name] !== 'function')) {
      throw new TypeError('The option "connection" must be one of nats');
    }

    this._connection = connection;
    this._prefix = checkPrefix(prefix);
    this._pending = new Pending(checkBytes('maxPending', maxPending));
    this._divider = new Divider();
    this._maxPayload = MAX_PAYLOAD;
    this._subscriptions = new Map();
    /** Bytes that were published since the last flush began. */
    this._unflushed = 0;
    /** Settles when nothing is left to be confirmed. */
    this._flushing = null;
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
  }

  /**
   * @param {string} topic
   * @return {Promise<void>} Resolves when the server has it
   */
  subscribe(topic) {
    const assembler = new Assembler();
    const subscription = this._connection.subscribe(
      subjectOf(this._prefix, topic),
      {
        callback: (err, message) => {
          if (err) {
            this._fail(err);
            return;
          }

          const bytes = assembler.add(message.data);

          if (bytes) this._deliver(topic, bytes);
        }
      }
    );

    this._subscriptions.set(topic, subscription);

    return this._confirm();
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    this._subscriptions.get(topic)?.unsubscribe();
    this._subscriptions.delete(topic);
  }

  /** @param {string} topic @param {Uint8Array} bytes */
  publish(topic, bytes) {
    const subject = subjectOf(this._prefix, topic);

    // It is not known while the connection is away.
    this._maxPayload = this._connection.info?.max_payload ?? this._maxPayload;
    this._pending.add(bytes.length);
    this._unflushed += bytes.length;
    this._flushing ??= this._flush();
    for (const part of this._divider.divide(bytes, this._maxPayload)) {
      this._connection.publish(subject, part);
    }
  }

  /** The connection stays open. */
  async close() {
    for (const topic of [...this._subscriptions.keys()]) {
      this.unsubscribe(topic);
    }
  }

  /** Asks the server whether it has what was published, as long as there is any. */
  async _flush() {
    // What is published in this tick leaves together.
    await null;

    while (this._unflushed > 0) {
      const bytes = this._unflushed;

      this._unflushed = 0;

      try {
        await this._connection.flush();
      } catch (err) {
        // The client throws away what it had not sent.
        this._fail(
          new Error('Messages were lost with the connection to the broker', {
            cause: err
          })
        );
      }

      this._pending.remove(bytes);
    }

    this._flushing = null;
  }

  /** Resolves when the server has what was asked of it. */
  async _confirm() {
    try {
      await this._connection.flush();
    } catch (err) {
      // The client does that again when it has connected again.
      if (this._connection.isClosed()) throw err;
    }
  }
}

/** @param {ConstructorParameters<typeof NatsBackplane>[0]} options */
const natsBackplane = (options) => new NatsBackplane({ ...options });

module.exports = natsBackplane;
