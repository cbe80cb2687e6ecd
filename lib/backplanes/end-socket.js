'use strict';

const { once } = require('events');

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

  socket.end();
  await within(END_TIMEOUT, once(socket, 'close'));
  socket.destroy();
}

module.exports = endSocket;
