'use strict';

const { bridge, kinds, targets } = require('../native/bridge');
const { MAX_PENDING, checkBytes, checkText } = require('./options');

const { PUBLISHED } = kinds;

/** As many bytes as can be told to the addon. */
const MAX_BYTES = 0xffffffff;

/**
 * Connects topics of the threads of this process: the addon hands messages from
 * one to the others, in memory that they share.
 */
class ThreadBackplane {
  /**
   * @param {Object} options
   * @param {string} options.name Those of the same name are connected
   * @param {number} [options.maxPending] Bytes that may wait for this thread
   * @throws {TypeError} If an option is wrong
   */
  constructor({ name, maxPending = MAX_PENDING }) {
    this._name = checkText('name', name);
    this._maxPending = Math.min(
      checkBytes('maxPending', maxPending),
      MAX_BYTES
    );
    this._id = -1;
    /** Numbers are not used again: messages with them may be on their way. */
    this._lastNumber = 0;
    this._numbers = new Map();
    this._topics = new Map();
    this._deliver = null;
    this._fail = null;
    /** As the bridge asks: its events are nobody's async context. */
    this.isStreamEndpoint = false;
    this.isInContext = true;
  }

  /**
   * @param {function(string, Uint8Array): void} deliver
   * @param {function(Error): void} fail
   */
  start(deliver, fail) {
    this._deliver = deliver;
    this._fail = fail;
    this._id = bridge.joinHub(this._name, this._maxPending);
    targets[this._id] = this;
  }

  /** @param {string} topic */
  subscribe(topic) {
    const number = ++this._lastNumber;

    this._numbers.set(topic, number);
    this._topics.set(number, topic);
    bridge.subscribeInHub(this._id, topic, number);
  }

  /** @param {string} topic */
  unsubscribe(topic) {
    bridge.unsubscribeInHub(this._id, topic);
    this._topics.delete(this._numbers.get(topic));
    this._numbers.delete(topic);
  }

  /** @param {string} topic @param {Uint8Array} bytes */
  publish(topic, bytes) {
    bridge.publishInHub(this._id, topic, bytes);
  }

  close() {
    if (this._id === -1) return;

    targets[this._id] = undefined;
    bridge.leaveHub(this._id);
    // It may be another's from here on.
    this._id = -1;
  }

  /** Called by the bridge. */
  receive(events) {
    // The program may close it in between.
    while (this._id !== -1 && events.next()) {
      if (events.kind === PUBLISHED) this._receive(events);
      else this._fail(new Error(`Messages were lost: ${events.value}`));
    }
  }

  _receive(events) {
    const topic = this._topics.get(events.value);

    if (topic !== undefined) this._deliver(topic, events.data);
  }
}

/** @param {ConstructorParameters<typeof ThreadBackplane>[0]} options */
const threadBackplane = (options) => new ThreadBackplane({ ...options });

module.exports = threadBackplane;
