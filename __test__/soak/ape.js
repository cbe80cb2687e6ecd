'use strict';

const assert = require('assert');
const net = require('net');
const { Writable } = require('stream');

const { createWebSocketStream } = require('../..');

/** The code of those who close in order. */
const CODE = 4321;

/** What listeners throw, to nobody's harm. */
class Mischief extends Error {}

/** Counts a message's number, and fills it up. */
function numbered(number, length) {
  const data = Buffer.alloc(4 + length, number);

  data.writeUInt32BE(number);
  return data;
}

/** One WebSocket, and what is done to it. */
class Ape {
  sent = 0;
  received = 0;
  /** How often it was told of its end. */
  closes = 0;
  code = null;
  /** It cannot be expected to receive all any more. */
  isRude = false;
  /** The socket was stopped, not the WebSocket. */
  #isSocketPaused = false;
  #throwsIn = null;
  #stream = null;
  #random;

  constructor(random, websocket, name, note) {
    this.#random = random;
    this.websocket = websocket;
    this.note = (what) => note(`${name} ${what}`);
    this.closed = new Promise((resolve) => {
      websocket.on('close', (code) => {
        this.closes++;
        this.code = code;
        this.note(`closed ${code}`);
        resolve();
        this.#mayThrow('close');
      });
    });
    websocket.on('error', (err) => this.note(`error ${err.message}`));
    websocket.on('message', (data) => {
      const number = data.readUInt32BE();

      if (number !== this.received) {
        this.note(`got ${number} for ${this.received}`);
      }
      assert.strictEqual(number, this.received, 'lost or out of order');
      this.received++;
      this.#mayThrow('message');
    });
    websocket.on('ping', () => this.#mayThrow('ping'));
    websocket.on('pong', () => this.#mayThrow('pong'));
  }

  #mayThrow(place) {
    if (this.#throwsIn !== place) return;

    this.#throwsIn = null;
    throw new Mischief(place);
  }

  get isOpen() {
    return this.websocket.readyState === this.websocket.OPEN;
  }

  /** Something at random. */
  act() {
    const random = this.#random;
    const act = random.pick(Object.keys(ACTS));

    if (!this.isOpen) return;

    this.note(act);
    ACTS[act].call(this, this.websocket, random);
  }

  /** Ends the connection at random; afterwards it ends, whatever the peer does. */
  finish() {
    const random = this.#random;
    const end = random.pick(Object.keys(ENDS));

    this.note(end);
    if (end !== 'close') this.isRude = true;
    ENDS[end].call(this, this.websocket);
  }

  /** Has the end of the peer come through. */
  letGo() {
    const random = this.#random;
    const { websocket } = this;

    this.#throwsIn ??= random.pick([null, null, 'close']);
    if (this.#stream !== null && random.oneIn(2)) {
      this.note('destroy stream');
      this.isRude = true;
      this.#stream.destroy();
    } else if (this.#stream !== null || this.#isSocketPaused) {
      this.note('close too');
      this.isRude = true;
      websocket.close();
    } else if (websocket.isPaused) {
      this.note('resume');
      websocket.resume();
    }
  }

  send() {
    const random = this.#random;
    const length = random.below(random.pick([10, 200, 20000, 300000]));

    this.websocket.send(
      numbered(this.sent++, length),
      { compress: random.oneIn(2) },
      () => this.#mayThrow('sent')
    );
  }

  throwIn(place) {
    this.#throwsIn = place;
  }

  pauseSocket() {
    this.#isSocketPaused = true;
    this.websocket._socket.pause();
  }

  resumeSocket() {
    if (!this.#isSocketPaused) return;
    this.#isSocketPaused = false;
    this.websocket._socket.resume();
  }

  /** Pipes into something that is slow, or gone. */
  pipe() {
    const random = this.#random;

    if (this.#stream !== null) return;

    const sink = new Writable({
      highWaterMark: 1000,
      write: (chunk, _, callback) => setTimeout(callback, random.below(3))
    });

    this.#stream = createWebSocketStream(this.websocket, {
      highWaterMark: 1000
    });
    this.#stream.on('error', () => {});
    sink.on('error', () => {});
    this.#stream.pipe(sink);
    if (random.oneIn(2)) setTimeout(() => sink.destroy(), random.below(10));
  }
}

const ACTS = {
  send() {
    this.send();
  },
  burst(_, random) {
    for (let i = random.below(20); i >= 0; i--) this.send();
  },
  ping(websocket) {
    websocket.ping();
  },
  pause(websocket) {
    websocket.pause();
  },
  resume(websocket) {
    websocket.resume();
  },
  pauseSocket() {
    this.pauseSocket();
  },
  resumeSocket() {
    this.resumeSocket();
  },
  look(websocket) {
    websocket._socket.on('data', () => {});
  },
  throwIn(_, random) {
    this.throwIn(random.pick(['message', 'ping', 'pong', 'close', 'sent']));
  },
  stream() {
    this.pipe();
  }
};

const ENDS = {
  close(websocket) {
    websocket.close(CODE);
  },
  terminate(websocket) {
    websocket.terminate();
  },
  destroy(websocket) {
    websocket._socket.destroy();
  },
  fail(websocket) {
    websocket._socket.destroy(new Error('mischief'));
  },
  reset(websocket) {
    const { _socket: socket } = websocket;

    if (socket instanceof net.Socket && !socket.encrypted) {
      socket.resetAndDestroy();
    } else {
      socket.destroy();
    }
  },
  endThenClose(websocket) {
    websocket._socket.end();
    websocket.close(CODE);
  },
  closeThenTerminate(websocket) {
    websocket.close(CODE);
    websocket.terminate();
  },
  pauseThenClose(websocket) {
    websocket.pause();
    websocket.close(CODE);
  }
};

module.exports = { Ape, CODE, Mischief, numbered };
