'use strict';

const { bridge, scheduleFlush } = require('../native/bridge');
const attempt = require('./attempt');
const {
  MAX_BYTES,
  PLAIN,
  broadcast,
  frameKey,
  frameOf,
  isObserved,
  takesFrames,
  windowOf
} = require('./fan-out');
const { INDIRECT, Subscriber, isSendReplaced } = require('./subscriber');
const { kConnection, readyStates } = require('../constants');

const { OPEN } = readyStates;

/**
 * @typedef {import('./prepared-message').PreparedMessage} PreparedMessage
 * @typedef {import('../websocket')} WebSocket
 */

/** There is a bit for each class. */
const MAX_CLASSES = 32;

/** What the addon says of the first subscriber of a topic, and of the last. */
const IS_EDGE = 2;

/** Gives those that are forgotten back. */
const registry = new FinalizationRegistry((id) => bridge.freeTopics(id));

/**
 * Which WebSockets of this copy of oxws are subscribed to which topics. The
 * addon has it. Subscribers are of classes: those of one get the same frame of a
 * message from the engine, without JavaScript taking part; but for those of the
 * class `INDIRECT`, who are sent to as by `broadcast()`.
 */
class TopicMembers {
  /**
   * @param {function(string): void} [onEdge] Told of topics that have their first
   *     subscriber, or none any more
   */
  constructor(onEdge) {
    this._onEdge = onEdge;
    this._id = bridge.createTopics();
    /** By slot. @type {(Subscriber|undefined)[]} */
    this._subscribers = [];
    /** The permessage-deflate of each class, and classes by what matters of it. */
    this._deflates = [undefined];
    this._classes = new Map();
    /** Those of subscribers that the engine sends to, to see what is put there. */
    this._prototypes = new Set();
    registry.register(this, this._id);
  }

  /**
   * @param {WebSocket} websocket
   * @param {string} topic
   * @return {boolean} Whether it is open, and was not subscribed
   */
  subscribe(websocket, topic) {
    if (websocket.readyState !== OPEN) return false;

    const { slot } =
      Subscriber.of(this, websocket) ?? new Subscriber(this, websocket);
    const result = bridge.subscribe(this._id, slot, topic);

    if (result === IS_EDGE) this._onEdge?.(topic);

    return result > 0;
  }

  /** The same the other way. */
  unsubscribe(websocket, topic) {
    const subscriber = Subscriber.of(this, websocket);

    if (subscriber === undefined) return false;

    const result = bridge.unsubscribe(this._id, subscriber.slot, topic);

    if (result === IS_EDGE) this._onEdge?.(topic);

    return result > 0;
  }

  /** Takes all subscriptions of a WebSocket back. */
  unsubscribeAll(websocket) {
    const topics = this.topicsOf(websocket);

    Subscriber.of(this, websocket)?.leave();

    return topics.length > 0;
  }

  isSubscribed(websocket, topic) {
    const slot = Subscriber.of(this, websocket)?.slot;

    return (
      slot !== undefined && bridge.isSubscribed(this._id, slot, topic) === 1
    );
  }

  topicsOf(websocket) {
    const slot = Subscriber.of(this, websocket)?.slot;

    return slot === undefined ? [] : bridge.topicsOf(this._id, slot);
  }

  size(topic) {
    return bridge.topicSize(this._id, topic);
  }

  /** Has all subscribers leave. */
  clear() {
    for (const subscriber of this._subscribers) subscriber?.leave();
  }

  /**
   * Sends a message to those who are subscribed to a topic.
   *
   * @param {string} topic
   * @param {PreparedMessage} message
   * @param {{isLeftOut: function(WebSocket): boolean, leftOut: WebSocket[]}}
   *     except Who does not get it
   * @param {number} most Who has more bytes waiting is slow
   * @param {function(WebSocket): void} onSlow
   * @return {number} For how many it was queued
   */
  publish(topic, message, except, most, onSlow) {
    const { isLeftOut, leftOut } = except;
    const classes = bridge.classesOf(this._id, topic);

    if (classes === 0) return 0;

    const frames = this._isObserved() ? null : this._frames(classes, message);
    const send = (slots) => {
      const others = this._websockets(slots).filter((each) => !isLeftOut(each));

      return broadcast(others, message, most, onSlow);
    };

    if (frames === null) return send(bridge.membersOf(this._id, topic));

    let count = 0;

    if (frames.length > 0) {
      count = this._publish(topic, frames, leftOut, most, onSlow);
    }

    if ((classes & (1 << INDIRECT)) !== 0) {
      const slots = bridge.indirectMembersOf(this._id, topic);

      count += send(slots);
      for (const slot of toNumbers(slots)) {
        this._subscribers[slot]?.becomeDirect();
      }
    }

    return count;
  }

  /** To those whom the engine sends to. */
  _publish(topic, frames, leftOut, most, onSlow) {
    const limit = Math.min(most, MAX_BYTES);
    const isLimited = limit < MAX_BYTES;
    const slots = leftOut
      .map((each) => Subscriber.of(this, each))
      .filter((each) => each !== undefined && each.kind !== INDIRECT)
      .map(({ slot }) => slot);
    const slow = isLimited
      ? toNumbers(bridge.slowMembersOf(this._id, topic, limit)).filter(
          (slot) => !slots.includes(slot)
        )
      : [];
    const websockets = slow.map((slot) => this._subscribers[slot].websocket);
    const count = bridge.publish(
      this._id,
      topic,
      frames.map((frame) => frame?.bytes),
      frames.reduce(
        (bits, frame, index) => bits | (frame.isCompressed ? 1 << index : 0),
        0
      ),
      toBytes([...slots, ...slow]),
      limit
    );

    scheduleFlush();
    for (const websocket of websockets) attempt(onSlow, websocket);

    return count;
  }

  /**
   * What each of these classes gets, by its number.
   *
   * @return {?{bytes: (Uint8Array|number), isCompressed: boolean}[]} None: they have to be
   *     sent to one by one
   */
  _frames(classes, message) {
    const frames = [];

    for (let index = 1; index < this._deflates.length; index++) {
      if ((classes & (1 << index)) === 0) continue;

      const deflate = this._deflates[index];
      const key = frameKey(deflate, message);

      if (key === -1) return null;

      frames[index] = {
        bytes: frameOf(message, key, deflate),
        isCompressed: key !== PLAIN
      };
    }

    return frames;
  }

  /** Whether what is sent passes something that a program has put there. */
  _isObserved() {
    if (this._prototypes.size === 0) return false;
    if (isObserved()) return true;

    for (const prototype of this._prototypes) {
      if (isSendReplaced(prototype)) return true;
    }

    return false;
  }

  /** @return {WebSocket[]} */
  _websockets(slots) {
    return toNumbers(slots).map((slot) => this._subscribers[slot].websocket);
  }

  /** Which class a WebSocket is of, as it is now. */
  classOf(websocket) {
    if (!takesFrames(websocket) || !websocket[kConnection].isUnobserved) {
      return INDIRECT;
    }

    const deflate = websocket._extensions['permessage-deflate'];
    const name =
      deflate &&
      [
        windowOf(deflate),
        deflate._threshold,
        deflate._settings.level,
        deflate._settings.memLevel,
        deflate._settings.strategy
      ].join();
    const known = this._classes.get(name);

    if (known !== undefined) return known;
    if (this._deflates.length === MAX_CLASSES) return INDIRECT;

    this._classes.set(name, this._deflates.length);

    return this._deflates.push(deflate) - 1;
  }

  /** @param {Subscriber} subscriber @return {number} The slot of it */
  add(subscriber) {
    const { connectionId, kind } = subscriber;
    const slot = bridge.addSubscriber(this._id, connectionId, kind);

    this._subscribers[slot] = subscriber;
    this._watch(subscriber);

    return slot;
  }

  /** @param {Subscriber} subscriber One that is of another class now */
  update(subscriber) {
    const { connectionId, kind, slot } = subscriber;

    bridge.setSubscriber(this._id, slot, connectionId, kind);
    this._watch(subscriber);
  }

  _watch({ kind, websocket }) {
    if (kind !== INDIRECT) {
      this._prototypes.add(Object.getPrototypeOf(websocket));
    }
  }

  /** @param {Subscriber} subscriber One that leaves */
  remove({ slot }) {
    const topics = this._onEdge ? bridge.topicsOf(this._id, slot) : [];

    bridge.removeSubscriber(this._id, slot);
    this._subscribers[slot] = undefined;

    for (const topic of topics) {
      if (this.size(topic) === 0) this._onEdge(topic);
    }
  }
}

/** Slots, four bytes each. */
function toNumbers(bytes) {
  if (bytes === undefined) return [];

  return [...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

function toBytes(slots) {
  if (slots.length === 0) return undefined;

  return new Uint8Array(Uint32Array.from(slots).buffer);
}

module.exports = TopicMembers;
