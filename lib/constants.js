'use strict';

/**
 * Names of members that files of this package share and that users must not
 * run into.
 */
module.exports = {
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
