'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { trackServer, trackSocket } = require('../../support/resources');

/**
 * A proxy that understands CONNECT (RFC 9110, section 9.3.6).
 *
 * @returns {Promise<{ port: number, targets: string[] }>} `targets` grows with
 *     what clients asked for
 */
async function connectProxy() {
  const targets = [];
  const proxy = trackServer(http.createServer());

  proxy.on('connect', (request, client, head) => {
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = trackSocket(net.connect(port, hostname));

    targets.push(request.url);
    target.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(client);
      client.pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.on('close', () => target.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');

  return { port: proxy.address().port, targets };
}

/** An agent whose sockets are tunnels through a proxy at `port`. */
class TunnelAgent extends http.Agent {
  #port;

  constructor(port, options) {
    super(options);
    this.#port = port;
  }

  createConnection(options, callback) {
    const request = http.request({
      host: '127.0.0.1',
      port: this.#port,
      method: 'CONNECT',
      path: `${options.host}:${options.port}`
    });

    request.on('connect', (response, socket) => callback(null, socket));
    request.on('error', callback);
    request.end();
  }
}

module.exports = { TunnelAgent, connectProxy };
