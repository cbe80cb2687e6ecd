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

// Names of members that files of this package share and that users must not
// run into.

/**
 * `websocket[kAttach](connection, options)`: speaks over it from here on.
 *
 * @type {unique symbol}
 */
const kAttach = Symbol('attach');

/**
 * `websocket[kClosing]`: its `ClosingHandshake`.
 *
 * @type {unique symbol}
 */
const kClosing = Symbol('closing');

/**
 * `websocket[kConnection]`: what it speaks over; null before it is open.
 * `handle[kConnection]`: what it is the handle of.
 *
 * @type {unique symbol}
 */
const kConnection = Symbol('connection');

/**
 * `websocket[kConnectionOptions]`: what that was attached with.
 *
 * @type {unique symbol}
 */
const kConnectionOptions = Symbol('connection-options');

/**
 * `perMessageDeflate[kContexts]`: what the two zlib contexts are made with.
 *
 * @type {unique symbol}
 */
const kContexts = Symbol('contexts');

/**
 * `websocket[kExtra]`, `server[kExtra]`: what `oxws/extra` of any copy of
 * this package may do with those of this copy.
 *
 * @type {unique symbol}
 */
const kExtra = Symbol.for('oxws.extra');

/**
 * `websocket[kHandshake]`: its `ClientHandshake`, while it has one.
 *
 * @type {unique symbol}
 */
const kHandshake = Symbol('handshake');

/**
 * `callback[kInternal]`: it is ours, in nobody's async context.
 *
 * @type {unique symbol}
 */
const kInternal = Symbol('internal');

/**
 * `callback[kEndsNext]`: it ends the connection, if anything. That comes after
 * all that was sent, which it need not wait for.
 *
 * @type {unique symbol}
 */
const kEndsNext = Symbol('ends-next');

/**
 * `server[kCounts]`: its `ServerCounts`.
 *
 * @type {unique symbol}
 */
const kCounts = Symbol('counts');

/**
 * `server[kIsRunning]`: whether it takes more connections.
 *
 * @type {unique symbol}
 */
const kIsRunning = Symbol('is-running');

/**
 * `server[kOnClientClose]`: the listener of its clients' 'close'.
 *
 * @type {unique symbol}
 */
const kOnClientClose = Symbol('on-client-close');

/**
 * `websocket[kOnClosed]`: who is told that it is closed, whatever the listeners of
 * 'close' do; null as long as nobody is.
 *
 * @type {unique symbol}
 */
const kOnClosed = Symbol('on-closed');

/**
 * `websocket[kOpen](connection, options)`: the connection is open.
 *
 * @type {unique symbol}
 */
const kOpen = Symbol('open');

/**
 * `server[kOriginals]`, `websocket[kOriginals]`: methods of the class; others
 * may stand in their place.
 *
 * @type {unique symbol}
 */
const kOriginals = Symbol('originals');

/**
 * `server[kRefusing]`: set by `shutdown()`, to take no more connections.
 *
 * @type {unique symbol}
 */
const kRefusing = Symbol('refusing');

/**
 * `websocket[kSender]`: its `Sender`, whatever a program has put in its place.
 *
 * @type {unique symbol}
 */
const kSender = Symbol('sender');

/**
 * `error[kStatusCode]`: the close code that a violation earns.
 *
 * @type {unique symbol}
 */
const kStatusCode = Symbol('status-code');

/**
 * `websocket[kSubscribers]`: what it is to each `Topics`, once it is something.
 *
 * @type {unique symbol}
 */
const kSubscribers = Symbol('subscribers');

/**
 * `server[kTrack](websocket)`: keeps it in `clients` as long as it is open.
 *
 * @type {unique symbol}
 */
const kTrack = Symbol('track');

/**
 * `stream[kUpgradeSocket]`: its `Http2UpgradeSocket`.
 *
 * @type {unique symbol}
 */
const kUpgradeSocket = Symbol('upgrade-socket');

/**
 * `receiver[kWebSocket]`, `sender[kWebSocket]`: whose messages it emits or
 * sends. Tracing tools read this symbol from this file, as from that of ws with
 * the same name.
 *
 * @type {unique symbol}
 */
const kWebSocket = Symbol('websocket');

module.exports = {
  connectionDefaults,
  kAttach,
  kClosing,
  kConnection,
  kConnectionOptions,
  kContexts,
  kCounts,
  kExtra,
  kHandshake,
  kEndsNext,
  kInternal,
  kIsRunning,
  kOnClientClose,
  kOnClosed,
  kOpen,
  kOriginals,
  kRefusing,
  kSender,
  kStatusCode,
  kSubscribers,
  kTrack,
  kUpgradeSocket,
  kWebSocket,
  readyStates
};
