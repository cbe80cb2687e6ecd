'use strict';

const assert = require('assert');
const { once } = require('events');
const { setTimeout: sleep } = require('timers/promises');

const { message } = require('./content');
const { CLOSE, CLOSE_TIMEOUT, COMMAND } = require('./servers');
const { routes } = require('../support/routes');

/**
 * How a conversation ends: what the client does, and the code and reason it
 * must see then. `isAbrupt`: echoes may be missing.
 */
const ENDS = {
  close(client) {
    client.close(4000, 'bye');
    return { code: 4000, reason: 'bye' };
  },

  closeOfServer(client) {
    client.send(Buffer.concat([COMMAND, Buffer.from('close')]));
    return { code: CLOSE[0], reason: CLOSE[1] };
  },

  terminate(client) {
    client.terminate();
    return { code: 1006, reason: '', isAbrupt: true };
  },

  terminateOfServer(client) {
    client.send(Buffer.concat([COMMAND, Buffer.from('terminate')]));
    return { code: 1006, reason: '', isAbrupt: true };
  },

  fin(client) {
    client._socket.end();
    return { code: 1006, reason: '', isAbrupt: true };
  },

  reset(client, server) {
    // A TLS socket cannot be reset.
    if (server.route === 'TLS') client._socket.destroy();
    else client._socket.resetAndDestroy();
    return { code: 1006, reason: '', isAbrupt: true };
  }
};

/** Talks to an echo server and checks every answer. */
class Conversation {
  #random;
  #server;
  #client;
  /** Messages whose echo has not come. */
  #expected = [];
  #pings = [];
  #onEcho = () => {};
  messages = 0;
  bytes = 0;

  constructor({ WebSocket }, random, server) {
    this.#random = random;
    this.#server = server;
    this.#client = new WebSocket(server.url, this.#options());
    this.#client.on('message', (...args) => this.#check(...args));
    this.#client.on('pong', (data) => {
      assert.deepStrictEqual(data, this.#pings.shift());
    });
  }

  #options() {
    const random = this.#random;
    const { route } = this.#server;
    const own = route === 'TLS' ? route : random.pick(['native', 'adopted']);

    return {
      ...routes[own].clientOptions(),
      perMessageDeflate: random.oneIn(4)
        ? false
        : {
            threshold: random.pick([0, 1024]),
            clientNoContextTakeover: random.oneIn(3),
            serverNoContextTakeover: random.oneIn(3),
            clientMaxWindowBits: random.pick([undefined, 9, 12, 15])
          },
      allowSynchronousEvents: !random.oneIn(5),
      closeTimeout: CLOSE_TIMEOUT
    };
  }

  async run() {
    const random = this.#random;
    const client = this.#client;
    const closed = new Promise((resolve) => {
      client.on('close', (code, reason) => resolve([code, `${reason}`]));
    });

    if (random.oneIn(20)) return this.#abandon(closed);

    await once(client, 'open');
    // Looking at the bytes has JavaScript carry them.
    if (random.oneIn(10)) client._socket.on('data', () => {});

    for (let burst = random.below(6); burst >= 0; burst--) {
      this.#send(1 + random.below(20));
      if (random.oneIn(6)) await this.#pause();
      if (!random.oneIn(3)) await this.#answered();
    }

    const end = ENDS[random.pick(Object.keys(ENDS))];
    const { code, reason, isAbrupt = false } = end(client, this.#server);

    if (isAbrupt) client.on('error', () => {});

    assert.deepStrictEqual(await closed, [code, reason]);
    if (!isAbrupt) assert.strictEqual(this.#expected.length, 0, 'no echo');
  }

  /** Leaves before the handshake is done. */
  async #abandon(closed) {
    const error = once(this.#client, 'error');

    this.#client.terminate();
    assert.match((await error)[0].message, /closed before the connection/);
    assert.strictEqual((await closed)[0], 1006);
  }

  #send(count) {
    const random = this.#random;
    const client = this.#client;

    for (; count > 0; count--) {
      const { data, binary } = message(random);

      if (random.oneIn(8)) {
        const ping = data.subarray(0, 125);

        this.#pings.push(ping);
        client.ping(ping);
      }
      this.#expected.push({ data, binary });
      if (random.oneIn(8)) {
        const half = data.length >> 1;

        client.send(data.subarray(0, half), { binary, fin: false });
        client.send(data.subarray(half), { fin: true });
      } else {
        client.send(data, { binary, compress: !random.oneIn(8) });
      }
    }
  }

  #check(data, isBinary) {
    const { extensions } = this.#client;
    // Where it was expected tells what went wrong on the way.
    const index = this.#expected.findIndex(
      (sent) => sent.binary === isBinary && sent.data.equals(data)
    );

    assert.strictEqual(
      index,
      0,
      `message ${this.messages} of ${this.#server.route} ${extensions}, ` +
        `${data.length} bytes, binary: ${isBinary}, is at ${index} of ` +
        `${this.#expected.length} expected ones`
    );
    this.#expected.shift();
    this.messages++;
    this.bytes += data.length;
    if (this.#expected.length === 0) this.#onEcho();
  }

  async #pause() {
    this.#client.pause();
    await sleep(this.#random.below(5));
    this.#client.resume();
  }

  async #answered() {
    if (this.#expected.length === 0) return;
    await new Promise((resolve) => (this.#onEcho = resolve));
  }
}

module.exports = Conversation;
