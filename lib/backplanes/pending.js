'use strict';

/**
 * Bytes that were published and that the broker has not confirmed. A broker that
 * stands still, or is away, must not fill the memory of those who publish.
 */
class Pending {
  /** @param {number} most */
  constructor(most) {
    this._most = most;
    this._bytes = 0;
  }

  /**
   * @param {number} bytes
   * @throws {Error} If there is no room for them
   */
  add(bytes) {
    // A message that is longer than that goes by itself.
    if (this._bytes > 0 && this._bytes + bytes > this._most) {
      throw new Error('A message was not published: too much waits before it');
    }

    this._bytes += bytes;
  }

  /** @param {number} bytes */
  remove(bytes) {
    this._bytes -= bytes;
  }
}

module.exports = Pending;
