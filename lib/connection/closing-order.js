'use strict';

/** @typedef {import('./native-connection')} NativeConnection */

// When an end is told, as libuv would have told ws of it.

/**
 * Of a closing handshake: who began it, and over TLS who answered, hears of the
 * end when the event loop has gone round, and so after the other one, as with
 * ws. A close frame and FIN that came at once it would read in two rounds, and
 * where both sides are in one process programs rely on who hears first.
 *
 * @param {NativeConnection} connection That is closed
 * @return {boolean}
 */
function hearsLast(connection) {
  const hasBegun = hasBegunClosing(connection);

  if (hasBegun === undefined) return false;
  if (connection.session === null) return hasBegun;

  // With a socket below, whose end comes first, that takes a round as well.
  return !hasBegun && connection.session.rawSocket === null;
}

/**
 * It was closed here, or ended after its peer, without a closing handshake, and
 * libuv would not have told of that yet.
 *
 * @param {NativeConnection} connection That is closed
 * @return {boolean}
 */
function isClosedEarly(connection) {
  return (
    connection._closingTurn?.isOver === false &&
    hasBegunClosing(connection) === undefined
  );
}

/** Of a closing handshake whether it began here, undefined without one. */
function hasBegunClosing({ isStarted, websocket, _handler: handler }) {
  return isStarted ? handler.hasBegunClosing(websocket) : undefined;
}

module.exports = { hearsLast, isClosedEarly };
