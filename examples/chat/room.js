'use strict';

const { broadcast } = require('oxws/extra');

const { MAX_HISTORY, MAX_HISTORY_BYTES } = require('./limits');

/** The close code for the first of two windows of one visitor. */
const REPLACED = 4001;

/** Who is in a room, and what was said there. */
class Room {
  #visitors = new Set();
  /** `{ id, key, message, bytes }` */
  #history = [];
  #historyBytes = 0;
  /** From the time on, so that numbers grow over a restart too. */
  #lastId = Date.now();

  constructor(name) {
    this.name = name;
  }

  get size() {
    return this.#visitors.size;
  }

  /** Lets a visitor in, who has seen everything up to `since`. */
  join(visitor, since = 0) {
    // Who is back before the server noticed the loss is not there twice.
    for (const other of this.#visitors) {
      if (other.id === visitor.id) {
        this.#visitors.delete(other);
        other.ws.close(REPLACED, 'Open in another window');
      }
    }
    this.#visitors.add(visitor);
    for (const { id, message } of this.#history) {
      if (id > since) visitor.ws.send(message);
    }
    this.#tellPresence();
  }

  leave(visitor) {
    if (this.#visitors.delete(visitor)) this.#tellPresence();
  }

  /**
   * Sends a message to everybody, the sender too, and remembers it. `key` is
   * the sender's: a message that is sent again after a broken connection is
   * not said twice.
   *
   * @param {function(number): (string|Buffer)} make the message with this id
   */
  say(key, make) {
    if (this.#history.some((entry) => entry.key === key)) return;

    const id = ++this.#lastId;
    const message = make(id);
    const bytes = Buffer.byteLength(message);

    this.#history.push({ id, key, message, bytes });
    this.#historyBytes += bytes;
    while (
      this.#history.length > MAX_HISTORY ||
      this.#historyBytes > MAX_HISTORY_BYTES
    ) {
      this.#historyBytes -= this.#history.shift().bytes;
    }
    this.tell(message);
  }

  /** Sends something that is not remembered. */
  tell(message, except) {
    const sockets = [...this.#visitors].map(({ ws }) => ws);

    broadcast(sockets, message, { except: except?.ws });
  }

  #tellPresence() {
    const people = [...this.#visitors].map(({ id, name }) => ({ id, name }));

    this.tell(JSON.stringify({ type: 'people', people }));
  }
}

module.exports = { Room };
