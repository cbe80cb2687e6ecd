'use strict';

const { describeError } = require('../../../__test__/support/trace');

const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments'];

/** `setImmediate()` and its like, by the time of a call. */
const SCHEDULE = {
  now: (run) => run(),
  tick: process.nextTick,
  microtask: queueMicrotask,
  immediate: setImmediate
};

/** Plays a program with a WebSocket. */
class Actor {
  #program;
  #websocket;
  #events;
  /** How often each trigger has been there. */
  #times = {};
  #sent = 0;

  /**
   * @param {object[]} program Steps of `scenarioOf()`
   * @param {object} websocket
   * @param {object[]} events What it emits is put there, and what calls throw
   */
  constructor(program, websocket, events) {
    this.#program = program;
    this.#websocket = websocket;
    this.#events = events;
    /** Calls that were made. */
    this.calls = 0;
    /** What callbacks of sends were called with, in their order. */
    this.callbacks = [];
    for (const name of ['message', 'ping', 'pong']) {
      websocket.on(name, () => this.trigger(name));
    }
  }

  /** Does what the program says to this. */
  trigger(name) {
    const nth = (this.#times[name] = (this.#times[name] ?? -1) + 1);

    for (const step of this.#program) {
      if (step.trigger !== name || step.nth !== nth) continue;
      for (const call of step.calls) {
        SCHEDULE[call.time](() => this.#make(call));
      }
    }
  }

  #make(call) {
    this.calls++;
    try {
      this[call.name](call, this.#websocket);
    } catch (err) {
      this.#events.push({ call: call.name, ...describeError(err) });
    }
  }

  #callback({ hasCallback }) {
    if (!hasCallback) return undefined;

    const number = this.#sent++;

    return (err) => {
      this.callbacks.push({ number, message: err?.message });
      this.trigger('sent');
    };
  }

  send(call, websocket) {
    const { binary } = call;

    websocket.send(create(call.data), { binary }, this.#callback(call));
  }

  sendFragments(call, websocket) {
    websocket.send('one ', { fin: false });
    websocket.send('two ', { fin: false }, this.#callback(call));
    websocket.send('three', { fin: true });
  }

  sendMany(call, websocket) {
    for (let index = 0; index < 4; index++) websocket.send(`many ${index}`);
    websocket.send('last of many', this.#callback(call));
  }

  sendCorked(call, websocket) {
    const { _socket } = websocket;

    _socket?.cork();
    websocket.send('corked');
    websocket.send('corked, too');
    process.nextTick(() => _socket?.uncork());
  }

  ping(call, websocket) {
    const data =
      call.number % 2 ? `ping ${call.number}` : Buffer.alloc(call.number % 126);

    websocket.ping(data, undefined, this.#callback(call));
  }

  pong(call, websocket) {
    websocket.pong(`pong ${call.number}`, undefined, this.#callback(call));
  }

  close({ code, number }, websocket) {
    websocket.close(code, code === undefined ? undefined : `reason ${number}`);
  }

  terminate(call, websocket) {
    websocket.terminate();
  }

  pause(call, websocket) {
    websocket.pause();
    this.#events.push({ isPaused: websocket.isPaused });
  }

  resume(call, websocket) {
    websocket.resume();
    this.#events.push({ isPaused: websocket.isPaused });
  }

  setBinaryType({ number }, websocket) {
    websocket.binaryType = BINARY_TYPES[number % BINARY_TYPES.length];
  }

  pauseSocket(call, { _socket }) {
    _socket?.pause();
  }

  resumeSocket(call, { _socket }) {
    _socket?.resume();
  }

  destroySocket({ number }, { _socket }) {
    _socket?.destroy(number % 2 ? undefined : new Error('of the program'));
  }

  endSocket(call, { _socket }) {
    _socket?.end();
  }

  listenOnce({ number }, websocket) {
    websocket.once('message', () => this.#events.push({ once: number }));
  }

  listenAsTarget(call, websocket) {
    const remove = () => this.#events.push('a listener that was removed');

    websocket.on('message', remove);
    websocket.off('message', remove);
    websocket.addEventListener(
      'message',
      ({ type, data }) => this.#events.push({ type, data: typeof data }),
      { once: true }
    );
  }

  read(call, websocket) {
    const { protocol, extensions, binaryType, isPaused, readyState } =
      websocket;

    this.#events.push({
      protocol,
      extensions,
      binaryType,
      isPaused,
      readyState
    });
  }

  /** A ping, or what is no frame. */
  writeRaw({ number }, { _socket }) {
    const bytes = number % 2 ? '898001020304' : 'ffff';

    _socket?.write(Buffer.from(bytes, 'hex'));
  }
}

function create({ type, length }) {
  if (type === 'string') return 'x'.repeat(length);

  const buffer = Buffer.alloc(length, 7);

  if (type === 'Buffer') return buffer;

  const array = new Uint8Array(buffer);

  if (type === 'Uint8Array') return array;

  return type === 'DataView' ? new DataView(array.buffer) : array.buffer;
}

module.exports = Actor;
