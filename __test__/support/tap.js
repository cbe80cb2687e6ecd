'use strict';

const net = require('net');
const { once } = require('events');

const { trackServer, trackSocket } = require('./resources');

/**
 * A proxy in front of a port that keeps every byte of its one connection.
 *
 * @returns {Promise<{ port: number, requests: Function, answers: Function,
 *     order: string[], finished: Promise }>} `requests()` and `answers()` give
 *     the bytes so far; `order` names who sent FIN; `finished` settles when both did
 */
async function tap(port) {
  const fromClient = [];
  const fromServer = [];
  const order = [];
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const proxy = trackServer(
    net.createServer({ allowHalfOpen: true }, (client) => {
      const server = trackSocket(
        net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      );

      forward(client, server, 'client', fromClient);
      forward(server, client, 'server', fromServer);
    })
  );

  function forward(source, target, name, bytes) {
    source.setNoDelay(true);
    source.on('error', () => target.destroy());
    source.on('data', (chunk) => {
      bytes.push(chunk);
      target.write(chunk);
    });
    source.on('end', () => {
      order.push(name);
      target.end();
      if (order.length === 2) finish();
    });
  }

  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  return {
    port: proxy.address().port,
    requests: () => Buffer.concat(fromClient),
    answers: () => Buffer.concat(fromServer),
    order,
    finished
  };
}

module.exports = { tap };
