'use strict';

const { find } = require('./access');
const { checkBytes, checkSlow } = require('./options');
const { PreparedMessage, isPrepared } = require('./prepared-message');

/**
 * Sends a message to many WebSockets, encoded and compressed once.
 *
 * @param {Iterable<any>} clients Those that are not open are left out
 * @param {any} data What `send()` takes, or a `PreparedMessage`; no Blob
 * @param {Object} [options]
 * @param {boolean} [options.binary] As that of `send()`
 * @param {(boolean|'each')} [options.compress=true] `'each'`: by each
 *     connection's own compressor, which knows what was sent before
 * @param {any} [options.except] A WebSocket, or a Set of them, to leave out
 * @param {number} [options.maxBuffered=Infinity] A WebSocket with more bytes
 *     waiting is slow, and is not sent this
 * @param {('skip'|'terminate'|function(any): void)} [options.onSlow='skip'] What
 *     is done with those
 * @return {number} For how many it was queued
 * @throws {TypeError} If a client is no WebSocket of oxws, or an option is wrong
 */
function broadcast(clients, data, options = {}) {
  const {
    except,
    maxBuffered = Infinity,
    onSlow = 'skip',
    ...encoding
  } = options;

  checkBytes('maxBuffered', maxBuffered);

  const message = isPrepared(data) ? data : new PreparedMessage(data, encoding);
  const slow = checkSlow(onSlow);
  let count = 0;

  for (const audience of gather(clients, except, message)) {
    count += audience.send(maxBuffered, slow);
  }

  return count;
}

/** Those who get a message, by the copy of oxws that they are of. */
function gather(clients, except, message) {
  const isLeftOut = whetherIn(except);
  const audiences = new Map();
  let last;
  let audience;

  for (const websocket of clients) {
    const access = find(websocket);

    if (access?.of !== 'WebSocket') {
      throw new TypeError('Expected a WebSocket of oxws');
    }

    if (access !== last) {
      last = access;
      audience = audiences.get(access);

      if (audience === undefined) {
        audience = access.createAudience(message);
        audiences.set(access, audience);
      }
    }

    if (!isLeftOut(websocket)) audience.add(websocket);
  }

  return audiences.values();
}

/** Tells of a WebSocket whether it is the one, or in the Set. */
function whetherIn(except) {
  return except instanceof Set
    ? (websocket) => except.has(websocket)
    : (websocket) => websocket === except;
}

module.exports = { broadcast, whetherIn };
