'use strict';

const within = require('./within');

/** Milliseconds that the end waits for a peer that does not read. */
const END_TIMEOUT = 1000;

/**
 * Ends a socket after what was written to it.
 *
 * @param {import('net').Socket} socket
 */
async function endSocket(socket) {
  if (socket.closed) return;

  // An error of it is not one of who ends it; 'close' follows.
  const closed = new Promise((resolve) => socket.once('close', resolve));

  socket.end();
  await within(END_TIMEOUT, closed);
  socket.destroy();
}

module.exports = endSocket;
