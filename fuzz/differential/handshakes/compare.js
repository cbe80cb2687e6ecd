'use strict';

const { isDeepStrictEqual } = require('util');

/** In what oxws differs from ws on purpose: `[why, holds(ws, oxws)]`. */
const DECISIONS = [
  [
    "what is no request after a request's body is not answered a second time",
    (ws, oxws) =>
      isDeepStrictEqual(ws.events, oxws.events) &&
      ws.bytes === `${oxws.bytes}${BAD_REQUEST}`
  ]
];

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

module.exports = { DECISIONS };
