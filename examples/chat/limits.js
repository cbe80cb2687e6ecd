'use strict';

module.exports = {
  MAX_NAME: 24,
  MAX_ROOM: 32,
  MAX_TEXT: 4000,
  MAX_FILE: 16 * 1024 * 1024,
  /** What a room remembers for those who join, or come back. */
  MAX_HISTORY: 100,
  MAX_HISTORY_BYTES: 32 * 1024 * 1024,
  /** Rooms that are kept though nobody is there. */
  MAX_EMPTY_ROOMS: 10
};
