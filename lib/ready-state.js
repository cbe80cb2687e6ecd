'use strict';

/** The values of `readyState` (WHATWG WebSockets, section 3.1). */
module.exports = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
