'use strict';

const readline = require('readline');

/** Bytes of a broadcast. */
const SIZE = 128;

/**
 * A message that begins with the time, in microseconds since 1970, so that who
 * gets it knows how late it is.
 *
 * @returns {Buffer}
 */
function createMessage() {
  const message = Buffer.alloc(SIZE);
  const { timeOrigin } = performance;
  const time = Math.round((timeOrigin + performance.now()) * 1000);

  message.writeBigUInt64LE(BigInt(time));

  return message;
}

let broadcasting = null;

/** What every server is told to do. */
function commandsFor({ collect, keepAlive, broadcast }) {
  return {
    gc: collect,
    keepAlive: (milliseconds) => keepAlive(Number(milliseconds)),
    broadcast(milliseconds) {
      clearInterval(broadcasting);

      if (milliseconds === '0') return;

      broadcasting = setInterval(
        () => broadcast(createMessage()),
        Number(milliseconds)
      );
    }
  };
}

/**
 * @param {Object} server
 * @param {function(): any} server.collect Collects garbage
 * @param {function(number): any} server.keepAlive Pings silent clients from now
 *     on, so often
 * @param {function(Buffer): any} server.broadcast Sends to all clients
 * @returns {function(string): Promise<void>} Does what a line says
 */
function obeyer(server) {
  const commands = commandsFor(server);

  return async (line) => {
    const [command, argument] = line.split(' ');

    await commands[command](argument);
  };
}

/** Says where it listens and what processes there are, then obeys stdin. */
function run(port, server) {
  const obey = obeyer(server);

  console.log(JSON.stringify({ port, pids: [process.pid] }));
  onLine(async (line) => {
    await obey(line);
    console.log('done');
  });
}

function onLine(listener) {
  readline.createInterface({ input: process.stdin }).on('line', listener);
}

module.exports = { obeyer, onLine, run };
