'use strict';

const { once } = require('events');
const net = require('net');

const { trackServer } = require('./resources');

/**
 * Runs a program that serves, and says its port to whom it connects to: its output
 * is for what it tells later.
 *
 * @param {(port: number) => Promise<string[]>} run Runs it, with this port to
 *     connect to, and resolves its lines
 * @returns {Promise<{ lines, mail, port }>} the lines to come, the connection, and
 *     the port
 */
async function serverOf(run) {
  const mailbox = trackServer(net.createServer());

  mailbox.listen(0, '127.0.0.1');
  await once(mailbox, 'listening');

  const lines = run(mailbox.address().port);
  const [mail] = await once(mailbox, 'connection');
  const [port] = await once(mail, 'data');

  return { lines, mail, port: Number(port) };
}

module.exports = { serverOf };
