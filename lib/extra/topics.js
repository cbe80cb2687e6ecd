'use strict';

const EventEmitter = require('events');

const { accessTo } = require('./access');
const BackplaneLink = require('./backplane-link');
const { whetherIn } = require('./broadcast');
const { checkBytes, checkSlow } = require('./options');
const { PreparedMessage, isPrepared } = require('./prepared-message');

/**
 * @typedef {import('./topic-members')} TopicMembers
 * @typedef {import('./backplane-link').Backplane} Backplane
 */

/**
 * Topics that WebSockets are subscribed to. What is published goes to all who
 * are; who is not open any more is not, from before 'close' on.
 *
 * Events: `error` (err), of the backplane.
 */
class Topics extends EventEmitter {
  /**
   * @param {Object} [options]
   * @param {number} [options.maxBuffered=Infinity] Who has more bytes waiting is
   *     slow, and is not sent what is published
   * @param {('skip'|'terminate'|function(any): void)} [options.onSlow='skip'] What
   *     is done with those
   * @param {Backplane} [options.backplane] What connects these topics with those
   *     of the same names elsewhere
   * @throws {TypeError} If an option is wrong
   */
  constructor(options = {}) {
    super();

    const { maxBuffered = Infinity, onSlow = 'skip', backplane } = options;

    checkBytes('maxBuffered', maxBuffered);

    this._maxBuffered = maxBuffered;
    this._onSlow = checkSlow(onSlow);
    this._isClosed = false;
    /** By copy of oxws. @type {Map<any, TopicMembers>} */
    this._members = new Map();
    this._link = backplane === undefined ? null : this._createLink(backplane);
  }

  /**
   * @param {any} websocket
   * @param {string} topic
   * @return {boolean} Whether it is subscribed from here on: not if it was, or is
   *     not open
   * @throws {TypeError} If it is no WebSocket of oxws, or that no text
   */
  subscribe(websocket, topic) {
    const members = this._membersFor(websocket);

    checkTopic(topic);

    return !this._isClosed && members.subscribe(websocket, topic);
  }

  /**
   * @param {any} websocket
   * @param {string} [topic] Without it, all of its topics
   * @return {boolean} Whether it was subscribed
   * @throws {TypeError} As above
   */
  unsubscribe(websocket, topic) {
    const members = this._membersFor(websocket);

    if (topic === undefined) return members.unsubscribeAll(websocket);

    checkTopic(topic);

    return members.unsubscribe(websocket, topic);
  }

  /**
   * @param {any} websocket
   * @param {string} topic
   * @return {boolean}
   * @throws {TypeError} As above
   */
  isSubscribed(websocket, topic) {
    checkTopic(topic);

    return this._membersFor(websocket).isSubscribed(websocket, topic);
  }

  /**
   * @param {any} websocket
   * @return {string[]}
   * @throws {TypeError} If it is no WebSocket of oxws
   */
  topicsOf(websocket) {
    return this._membersFor(websocket).topicsOf(websocket);
  }

  /**
   * @param {string} topic
   * @return {number} How many are subscribed to it here
   * @throws {TypeError} If that is no text
   */
  size(topic) {
    checkTopic(topic);

    return this._sizeOf(topic);
  }

  /**
   * Sends a message to all who are subscribed to a topic.
   *
   * @param {string} topic
   * @param {any} data What `send()` takes, or a `PreparedMessage`; no Blob
   * @param {Object} [options]
   * @param {boolean} [options.binary] As that of `send()`
   * @param {(boolean|'each')} [options.compress=true]
   * @param {any} [options.except] A WebSocket, or a Set of them, to leave out
   * @return {number} For how many here it was queued
   * @throws {TypeError} If an argument is wrong
   */
  publish(topic, data, options = {}) {
    const { except, ...encoding } = options;

    checkTopic(topic);

    const message = isPrepared(data)
      ? data
      : new PreparedMessage(data, encoding);

    if (this._isClosed) return 0;

    const count = this._deliver(topic, message, except);

    this._link?.publish(topic, message);

    return count;
  }

  /**
   * Takes all subscriptions back, and has the backplane close. From then on nobody
   * is subscribed.
   *
   * @return {Promise<void>}
   */
  async close() {
    if (!this._isClosed) {
      this._isClosed = true;
      // It is about to hear that all is over.
      this._closing = this._link?.close();
      for (const members of this._members.values()) members.clear();
    }

    return this._closing;
  }

  _deliver(topic, message, except) {
    const leftOut = {
      isLeftOut: whetherIn(except),
      leftOut: except instanceof Set ? [...except] : except ? [except] : []
    };
    let count = 0;

    for (const members of this._members.values()) {
      count += members.publish(
        topic,
        message,
        leftOut,
        this._maxBuffered,
        this._onSlow
      );
    }

    return count;
  }

  _sizeOf(topic) {
    let size = 0;

    for (const members of this._members.values()) size += members.size(topic);

    return size;
  }

  _membersFor(websocket) {
    const access = accessTo(websocket);
    let members = this._members.get(access);

    if (members === undefined) {
      members = access.createTopicMembers(
        this._link && this._onEdge.bind(this)
      );
      this._members.set(access, members);
    }

    return members;
  }

  /** Somebody is the first subscriber here, or the last one has gone. */
  _onEdge(topic) {
    const size = this._sizeOf(topic);

    // There may be others in another copy of oxws.
    if (size <= 1) this._link.update(topic, size === 1);
  }

  _createLink(backplane) {
    return new BackplaneLink(
      backplane,
      (topic, message) => this._deliver(topic, message),
      (err) => this.emit('error', err)
    );
  }
}

function checkTopic(topic) {
  if (
    typeof topic !== 'string' ||
    !(/** @type {any} */ (topic).isWellFormed())
  ) {
    throw new TypeError('The topic must be a well-formed string');
  }
}

module.exports = Topics;
