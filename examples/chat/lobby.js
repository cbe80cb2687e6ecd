'use strict';

const { broadcast } = require('oxws/extra');

const { MAX_EMPTY_ROOMS } = require('./limits');
const { Room } = require('./room');

/** All rooms, and everybody who is told of them. */
class Lobby {
  #rooms = new Map();
  #visitors = new Set();

  enter(visitor) {
    this.#visitors.add(visitor);
  }

  leave(visitor) {
    this.#visitors.delete(visitor);
  }

  /** The room of that name, which is there from now on. */
  room(name) {
    if (!this.#rooms.has(name)) this.#rooms.set(name, new Room(name));
    return this.#rooms.get(name);
  }

  /** Tells everybody the rooms and how many are in each. */
  announce() {
    this.#forget();

    const rooms = [...this.#rooms.values()].map(({ name, size }) => ({
      name,
      size
    }));

    broadcast(
      [...this.#visitors].map(({ ws }) => ws),
      JSON.stringify({ type: 'rooms', rooms })
    );
  }

  /** Drops the oldest of the empty rooms. */
  #forget() {
    const empty = [...this.#rooms.values()].filter(({ size }) => size === 0);

    for (const { name } of empty.slice(0, -MAX_EMPTY_ROOMS)) {
      this.#rooms.delete(name);
    }
  }
}

module.exports = { Lobby };
