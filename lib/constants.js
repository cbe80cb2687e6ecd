'use strict';

/** What client and server assume of a connection when the user says nothing. */
const connectionDefaults = Object.freeze({
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: 30_000,
  maxBufferedChunks: 256 * 1024,
  maxFragments: 16 * 1024,
  maxPayload: 100 * 1024 * 1024,
  maxPendingAutoPongs: 60,
  skipUTF8Validation: false
});

/** The values of `readyState` (WHATWG WebSockets, section 3.1). */
const readyStates = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

module.exports = {
  connectionDefaults,
  readyStates,

  // Names of members that files of this package share and that users must not
  // run into.

  /** `websocket[kAttach](connection, options)`: speaks over it from here on. */
  kAttach: Symbol('attach'),
  /** `perMessageDeflate[kContexts]`: what the two zlib contexts are made with. */
  kContexts: Symbol('contexts'),
  /**
   * `websocket[kExtra]`, `server[kExtra]`: what `oxws/extra` of any copy of this
   * package may do with those of this copy.
   */
  kExtra: Symbol.for('oxws.extra'),
  /** `callback[kInternal]`: it is ours, in nobody's async context. */
  kInternal: Symbol('internal'),
  /** `websocket[kOpen](connection, options)`: the connection is open. */
  kOpen: Symbol('open'),
  /** `server[kOriginals]`, `websocket[kOriginals]`: methods of the class; others
   * may stand in their place. */
  kOriginals: Symbol('originals'),
  /** `server[kRefusing]`: it takes no more connections. */
  kRefusing: Symbol('refusing'),
  /** `error[kStatusCode]`: the close code that a violation earns. */
  kStatusCode: Symbol('status-code'),
  /**
   * `receiver[kWebSocket]`, `sender[kWebSocket]`: whose messages it emits or
   * sends. Tracing tools read this symbol from this file, as from that of ws
   * with the same name.
   */
  kWebSocket: Symbol('websocket')
};
