'use strict';

const { once } = require('events');
const net = require('net');

const { trackServer, trackSocket } = require('../../support/resources');

/**
 * What passes between a client that speaks TLS and a server: up to the server and
 * down to the client it goes on as long as it is not held, and what was held is
 * taken.
 */
class Middle {
  constructor(near, far) {
    this.near = near;
    this.far = far;
    this._held = { up: null, down: null };
    this._onHeld = () => {};
    this._carry('up', near, far);
    this._carry('down', far, near);
  }

  _carry(way, from, to) {
    trackSocket(from).on('error', () => {});
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (this._held[way] === null) {
        to.write(chunk);
      } else {
        this._held[way].push(chunk);
        this._onHeld();
      }
    });
    from.on('end', () => to.end());
  }

  hold(way) {
    this._held[way] = [];
  }

  /** What came, once that is more than `length` bytes. */
  async take(way, length = 0) {
    const all = () => Buffer.concat(this._held[way]);

    while (all().length <= length) {
      await new Promise((resolve) => (this._onHeld = resolve));
    }

    const bytes = all();

    this._held[way] = [];

    return bytes;
  }

  release(way) {
    this._held[way] = null;
  }
}

/**
 * Has what connects to a port of its own go on to `port`.
 *
 * @returns {Promise<{ port: number, middle: Promise<Middle> }>} `middle` is that
 *     of the first connection
 */
async function middleTo(port) {
  const server = trackServer(net.createServer({ allowHalfOpen: true }));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const middle = once(server, 'connection').then(([near]) => {
    const options = { port, host: '127.0.0.1', allowHalfOpen: true };

    return new Middle(near, net.connect(options));
  });

  return { port: server.address().port, middle };
}

module.exports = { middleTo };
