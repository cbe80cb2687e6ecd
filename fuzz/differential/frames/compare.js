'use strict';

const { isDeepStrictEqual } = require('util');

/**
 * In what oxws differs from ws on purpose: `[why, holds(ws, oxws)]`. What is
 * compared is `{ events, replies }` of `play()`.
 */
const DECISIONS = [
  [
    'text is checked as it arrives, not once the message is complete',
    (ws, oxws) =>
      errorOf(oxws)?.code === 'WS_ERR_INVALID_UTF8' &&
      beginsLike(ws.events, oxws.events.slice(0, -2)) &&
      beginsLike(ws.replies, oxws.replies.slice(0, -1))
  ],
  [
    "zlib's text names what is wrong with a deflate stream; zlib-rs may find another fault first",
    (ws, oxws) =>
      errorOf(ws)?.code === 'Z_DATA_ERROR' &&
      isDeepStrictEqual(withoutText(ws), withoutText(oxws))
  ],
  [
    'ws goes on after an error if it was inflating when the bytes came',
    (ws, oxws) => isDeepStrictEqual(withoutMore(ws, oxws), oxws)
  ],
  [
    'an exception inside ws, which a process without a listener for it dies of',
    (ws, oxws) => has(ws, 'uncaught') && !has(oxws, 'uncaught')
  ]
];

function has({ events }, name) {
  return events.some(({ event }) => event === name);
}

function errorOf({ events }) {
  return events.find(({ event }) => event === 'error');
}

/** Without what ws emitted after the last event before the error of oxws. */
function withoutMore({ events, replies }, oxws) {
  const common = oxws.events.indexOf(errorOf(oxws));

  return {
    events: events.filter(
      ({ event }, index) =>
        common < 0 || index < common || ['error', 'close'].includes(event)
    ),
    replies
  };
}

function beginsLike(list, start) {
  return isDeepStrictEqual(list.slice(0, start.length), start);
}

function withoutText({ events, replies }) {
  return {
    events: events.map(({ event, message, ...rest }) =>
      event === 'error' ? { event, ...rest } : { event, message, ...rest }
    ),
    replies
  };
}

module.exports = { DECISIONS };
