// What the visitor said and the room has not repeated yet. It is sent again
// whenever the connection is back; the server knows by the key what it has.

export class Outbox {
  #connection;
  #entries = new Map();

  constructor(connection) {
    this.#connection = connection;
  }

  /** @param {string|Blob} message */
  add(key, room, message) {
    this.#entries.set(key, { room, message });
    if (this.#connection.isOpen) this.#connection.send(message);
  }

  /** The room has repeated it. Returns whether it was ours. */
  confirm(key) {
    return this.#entries.delete(key);
  }

  /** What the server does not take is not sent again. */
  clear() {
    this.#entries.clear();
  }

  /** Sends all again that is for this room. */
  resend(current) {
    for (const { room, message } of this.#entries.values()) {
      if (room === current) this.#connection.send(message);
    }
  }
}
