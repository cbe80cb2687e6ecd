'use strict';

const { randomBytes } = require('crypto');

const { EMPTY } = require('../payload');
const { PreparedMessage } = require('./prepared-message');

/**
 * What connects topics of several processes. Each function may return a promise;
 * what it rejects with is an error of the topics.
 *
 * @typedef {Object} Backplane
 * @property {function(function(string, Uint8Array): void, function(Error): void): any} start
 *     Called first, with a function that is to be called with what comes from
 *     elsewhere, for topics that are subscribed to; what was published here may
 *     come, too. And with one for failures that belong to no call
 * @property {function(string): any} subscribe Somebody here is subscribed to the
 *     topic, and nobody was
 * @property {function(string): any} unsubscribe Nobody is any more
 * @property {function(string, Uint8Array): any} publish Brings bytes to all
 *     others that have subscribed to the topic
 * @property {function(): any} close Called last
 */

/** What an envelope begins with. */
const VERSION = 1;

/** Bytes of the version, the flags and the id of who has published. */
const ID_LENGTH = 16;
const HEADER_LENGTH = 2 + ID_LENGTH;

const IS_BINARY = 1;
const IS_NOT_COMPRESSED = 2;
const IS_COMPRESSED_EACH = 4;

/** What a `Topics` has to do with its backplane. */
class BackplaneLink {
  /**
   * @param {Backplane} backplane
   * @param {function(string, PreparedMessage): void} deliver Called with what
   *     others publish
   * @param {function(Error): void} onError
   * @throws {TypeError} If it is no backplane
   */
  constructor(backplane, deliver, onError) {
    for (const name of METHODS) {
      if (typeof backplane?.[name] !== 'function') {
        throw new TypeError(`The backplane must have a function "${name}"`);
      }
    }

    this._backplane = backplane;
    this._deliver = deliver;
    this._onError = onError;
    this._id = randomBytes(ID_LENGTH);
    /** Topics that somebody here is subscribed to. */
    this._topics = new Set();
    this._isClosed = false;
    /** What is to be asked of it once it is started; null from then on. */
    this._waiting = [];
    this._started = this._start();
  }

  async _start() {
    await this._attempt(() =>
      this._backplane.start(
        (topic, bytes) => this._receive(topic, bytes),
        (err) => this._fail(err)
      )
    );

    // More may be asked of it meanwhile.
    for (const call of this._waiting) this._call(...call);
    this._waiting = null;
  }

  /** Whether somebody is subscribed to a topic has changed. */
  update(topic, isSubscribed) {
    if (this._isClosed || this._topics.has(topic) === isSubscribed) return;

    if (isSubscribed) this._topics.add(topic);
    else this._topics.delete(topic);

    this._ask(isSubscribed ? 'subscribe' : 'unsubscribe', topic);
  }

  /** @param {string} topic @param {PreparedMessage} message */
  publish(topic, { bytes, compress, isBinary }) {
    const flags =
      (isBinary ? IS_BINARY : 0) |
      (compress ? 0 : IS_NOT_COMPRESSED) |
      (compress === 'each' ? IS_COMPRESSED_EACH : 0);

    this._ask(
      'publish',
      topic,
      Buffer.concat([
        Buffer.of(VERSION, flags),
        this._id,
        /** @type {Buffer} */ (bytes)
      ])
    );
  }

  /** Settles when the backplane has closed. */
  async close() {
    this._isClosed = true;
    await this._started;
    await this._attempt(() => this._backplane.close());
  }

  /** Calls in the order of the calls here, once it is started. */
  _ask(...call) {
    if (this._waiting) this._waiting.push(call);
    else this._call(...call);
  }

  _call(name, ...args) {
    if (this._isClosed && name !== 'publish') return;

    try {
      this._backplane[name](...args)?.then?.(undefined, (err) =>
        this._fail(err)
      );
    } catch (err) {
      this._fail(err);
    }
  }

  _receive(topic, bytes) {
    if (this._isClosed || !this._topics.has(topic)) return;

    const envelope = ArrayBuffer.isView(bytes)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : EMPTY;

    if (envelope.length < HEADER_LENGTH || envelope[0] !== VERSION) {
      this._fail(new Error('The backplane brought what no Topics have sent'));
      return;
    }

    // It is an echo of what was delivered here at once.
    if (envelope.subarray(2, HEADER_LENGTH).equals(this._id)) return;

    const flags = envelope[1];
    const compress =
      (flags & IS_COMPRESSED_EACH) !== 0
        ? 'each'
        : !(flags & IS_NOT_COMPRESSED);

    this._deliver(
      topic,
      new PreparedMessage(envelope.subarray(HEADER_LENGTH), {
        binary: (flags & IS_BINARY) !== 0,
        compress
      })
    );
  }

  /** @return {Promise<void>} One that never rejects */
  async _attempt(work) {
    try {
      await work();
    } catch (err) {
      this._fail(err);
    }
  }

  /** No caller of ours is to hear of it, and no promise. */
  _fail(err) {
    process.nextTick(this._onError, err);
  }
}

const METHODS = ['start', 'subscribe', 'unsubscribe', 'publish', 'close'];

module.exports = BackplaneLink;
