'use strict';

const { createHash } = require('crypto');

const { pack, unpack } = require('./envelope');
const { MAX_FILE, MAX_NAME, MAX_ROOM, MAX_TEXT } = require('./limits');

/** Something a page of ours would not send. */
class Refusal extends Error {}

/** One connection: who it is, and which room it is in. */
class Visitor {
  #lobby;
  #room = null;

  constructor(ws, lobby) {
    this.ws = ws;
    this.id = null;
    this.name = 'somebody';
    this.#lobby = lobby;
    lobby.enter(this);
  }

  send(message) {
    this.ws.send(JSON.stringify(message));
  }

  receive(data) {
    this.#attempt(() => {
      const message = JSON.parse(data);

      switch (message.type) {
        case 'join':
          this.#join(message);
          break;
        case 'text':
          this.#say(message);
          break;
        case 'typing':
          this.#tellTyping();
          break;
        default:
          throw new Refusal(`There is no message of type ${message.type}`);
      }
    });
  }

  receiveFile(data) {
    this.#attempt(() => {
      const { header, bytes } = unpack(data);

      if (bytes.length > MAX_FILE) throw new Refusal('The file is too large');

      const key = textOf(header.key, 64);
      const name = textOf(header.name, 255);
      const mime = typeof header.mime === 'string' ? header.mime : '';

      this.#here().say(key, (id) =>
        pack(
          {
            ...this.#said(id, key),
            type: 'file',
            name,
            mime: mime.slice(0, 127)
          },
          bytes
        )
      );
    });
  }

  leave() {
    this.#lobby.leave(this);
    this.#room?.leave(this);
    this.#room = null;
    this.#lobby.announce();
  }

  #join({ secret, name, room, since }) {
    this.id = idOf(textOf(secret, 64));
    this.name = textOf(name, MAX_NAME);

    const next = this.#lobby.room(textOf(room, MAX_ROOM));

    this.#room?.leave(this);
    this.#room = next;
    this.send({ type: 'joined', room: next.name, you: this.id });
    next.join(this, Number.isInteger(since) ? since : 0);
    this.#lobby.announce();
  }

  #say({ key, text }) {
    const shown = textOf(text, MAX_TEXT);

    this.#here().say(textOf(key, 64), (id) =>
      JSON.stringify({ ...this.#said(id, key), type: 'text', text: shown })
    );
  }

  #tellTyping() {
    const { id, name } = this;

    this.#here().tell(JSON.stringify({ type: 'typing', id, name }), this);
  }

  #said(id, key) {
    return { id, key, from: { id: this.id, name: this.name }, at: Date.now() };
  }

  #here() {
    if (this.#room === null) throw new Refusal('Join a room first');
    return this.#room;
  }

  /** Whoever sends nonsense is sent away; everybody else does not notice. */
  #attempt(action) {
    try {
      action();
    } catch (err) {
      this.ws.close(1008, err instanceof Refusal ? err.message : 'Malformed');
    }
  }
}

/** What others see of the secret by which a page is known again. */
function idOf(secret) {
  return createHash('sha256').update(secret).digest('hex').slice(0, 16);
}

/** Text that is there and not too long. */
function textOf(value, maxLength) {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new Refusal('Something is missing');
  }
  if (value.length > maxLength) throw new Refusal('Something is too long');
  return value.trim();
}

module.exports = { Visitor };
