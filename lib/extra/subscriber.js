'use strict';

const keepOwn = require('../node/keep-own');
const {
  kConnection,
  kOriginals,
  kSubscribers,
  kWebSocket
} = require('../constants');

/**
 * @typedef {import('./topic-members')} TopicMembers
 * @typedef {import('../websocket')} WebSocket
 */

/** The class of those whom the engine does not send to by itself. */
const INDIRECT = 0;

/** As in `src/engine/connection/mod.rs`. */
const NO_ID = 0xffffffff;

/** What a WebSocket is to a `TopicMembers`. */
class Subscriber {
  /**
   * @param {TopicMembers} members
   * @param {WebSocket} websocket
   */
  constructor(members, websocket) {
    this.websocket = websocket;
    this.kind = members.classOf(websocket);
    this._members = members;
    this.slot = members.add(this);
    (websocket[kSubscribers] ??= []).push(this);
    this._watch();
  }

  /** What it is to `members`, if it is anything. */
  static of(members, websocket) {
    return websocket[kSubscribers]?.find(
      ({ _members }) => _members === members
    );
  }

  /** The number of its connection, if the engine sends to it. */
  get connectionId() {
    const { websocket, kind } = this;

    return kind === INDIRECT ? NO_ID : websocket[kConnection].id;
  }

  /** JavaScript has to hear of what is sent to it. */
  makeIndirect() {
    this._become(INDIRECT);
  }

  /** What kept the engine from sending to it may be over. */
  becomeDirect() {
    this._become(this._members.classOf(this.websocket));
  }

  _become(kind) {
    if (this.kind === kind) return;

    this.kind = kind;
    this._members.update(this);
    this._watch();
  }

  /** It is not open any more, or has nothing to do with the topics. */
  leave() {
    const subscribers = this.websocket[kSubscribers];

    subscribers.splice(subscribers.indexOf(this), 1);
    this._members.remove(this);
  }

  /**
   * Nobody looks what is in the place of `send()`, and of what it calls, while the
   * engine sends. Who puts something there tells so by doing it.
   */
  _watch() {
    if (this.kind === INDIRECT) return;

    const { websocket } = this;

    // That of the class tells, too; what was put back is in its way.
    delete websocket._sender;
    Object.defineProperty(websocket, 'send', watchedSend);
    Object.defineProperties(websocket._sender, watchedOfSender);
  }
}

/** What is in the place of `send()` of a WebSocket, and of two of its Sender. */
const watchedSend = watched('send', (websocket) => websocket[kConnection]);
const watchedOfSender = {
  send: watched('send', connectionOfSender),
  sendFrame: watched('sendFrame', connectionOfSender)
};

/** That of the prototype, until another one is put in its place. */
function watched(name, connectionOf) {
  return {
    configurable: true,
    get() {
      return Object.getPrototypeOf(this)[name];
    },
    set(value) {
      keepOwn(this, name, value);
      connectionOf(this)?.makeIndirect();
    }
  };
}

function connectionOfSender(sender) {
  return sender[kWebSocket][kConnection];
}

/**
 * Whether a method is in the place of `send()`, or of what it calls, for all
 * WebSockets with this prototype.
 *
 * @param {any} prototype
 */
function isSendReplaced(prototype) {
  const { send, sender, senderSend } = prototype[kOriginals];

  return (
    prototype.send !== send || sender.send !== senderSend || sender._isPatched
  );
}

module.exports = { INDIRECT, Subscriber, isSendReplaced };
