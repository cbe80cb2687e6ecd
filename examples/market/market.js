'use strict';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Symbols, and prices that wander about. */
class Market {
  #prices = new Map();

  /** @param {number} count How many symbols there are, 17576 at most */
  constructor(count) {
    for (let index = 0; index < count; index++) {
      const name =
        LETTERS[Math.floor(index / 676) % 26] +
        LETTERS[Math.floor(index / 26) % 26] +
        LETTERS[index % 26];

      this.#prices.set(name, 10 + Math.random() * 490);
    }
    /** The names of all. */
    this.symbols = [...this.#prices.keys()];
  }

  has(symbol) {
    return this.#prices.has(symbol);
  }

  /** The price of one, as it is now. */
  quote(symbol) {
    return { symbol, price: Number(this.#prices.get(symbol).toFixed(2)) };
  }

  /** Moves the price of one of them. */
  move() {
    const symbol =
      this.symbols[Math.floor(Math.random() * this.symbols.length)];
    const price = this.#prices.get(symbol);

    this.#prices.set(symbol, price * (1 + (Math.random() - 0.5) * 0.004));

    return this.quote(symbol);
  }
}

module.exports = { Market };
