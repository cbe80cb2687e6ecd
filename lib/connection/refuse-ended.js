'use strict';

const { EMPTY } = require('../payload');

/**
 * What is sent after the end of a socket is an error of it, which Node's stream
 * finds; it destroys the socket.
 *
 * @param {?import('stream').Writable} socket
 * @param {function(Error=): void} [cb] Called with the error
 * @return {boolean} Whether it has ended
 */
function refuseEnded(socket, cb) {
  if (!socket?.writableEnded) return false;

  // As ws, which writes a header and a payload.
  socket.write(EMPTY);
  socket.write(EMPTY, cb);

  return true;
}

module.exports = refuseEnded;
