'use strict';

// What tests ask of the port of a server, and of its connections.

const { rawSocket } = require('./raw');

/** A request that is no upgrade. */
const GET = 'GET /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Everything that comes back for these bytes. */
async function answerTo(port, bytes) {
  const peer = await rawSocket(port);

  peer.write(bytes);
  return String(await peer.rest()).replace(/Date: .*\r\n/, '');
}

/** The first line of it. */
async function statusOf(port, bytes) {
  return (await answerTo(port, bytes)).split('\r\n')[0];
}

/** How many connections a server says it has. */
function countOf(server) {
  return new Promise((resolve, reject) => {
    server.getConnections((err, count) => (err ? reject(err) : resolve(count)));
  });
}

/** A silent socket that the server has accepted. */
async function silentSocket(server, port) {
  const count = server._connections;
  const peer = await rawSocket(port);

  while (server._connections === count) await new Promise(setImmediate);
  return peer;
}

/** Waits until it has so many. */
async function untilCount(server, count) {
  while (server._connections !== count) await new Promise(setImmediate);
}

module.exports = { GET, answerTo, countOf, silentSocket, statusOf, untilCount };
