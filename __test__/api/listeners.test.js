'use strict';

const EventEmitter = require('events');

const { describeEach, implementations } = require('../support/implementations');

/** A WebSocket that waits for its connection for ever. */
function create({ lib: { WebSocket } }) {
  return new WebSocket(null, undefined, {});
}

describeEach(implementations, 'the listeners of a WebSocket', (pair) => {
  test('are told by event, in the order of their first ones', () => {
    const websocket = create(pair);
    const symbol = Symbol('mine');
    const listener = () => {};
    const names = () => websocket.eventNames();

    expect(names()).toEqual([]);
    websocket.on('pong', listener).on('error', listener).on(symbol, listener);
    websocket.on('open', listener).on('error', () => {});
    expect(names()).toEqual(['pong', 'error', 'open', symbol]);
    websocket.off('pong', listener).on('close', listener).on('pong', listener);
    expect(names()).toEqual(['error', 'open', 'close', 'pong', symbol]);
    websocket.removeAllListeners('open');
    expect(names()).toEqual(['error', 'close', 'pong', symbol]);
    websocket.removeAllListeners();
    expect(names()).toEqual([]);
  });

  test('are none for what other objects inherit', () => {
    const websocket = create(pair);

    for (const name of ['constructor', 'toString', 'valueOf', '__proto__']) {
      const calls = [];

      expect(websocket.listenerCount(name)).toBe(0);
      expect(websocket.emit(name)).toBe(false);

      websocket.on(name, (...args) => calls.push(args));
      expect(websocket.eventNames()).toContain(name);
      expect(websocket.emit(name, 1, 2)).toBe(true);
      expect(calls).toEqual([[1, 2]]);
    }
  });

  test('may be there from the beginning', () => {
    const { init } = EventEmitter;
    const calls = [];

    EventEmitter.init = function initWithListener(...args) {
      init.apply(this, args);
      this.on('ping', () => calls.push('ping'));
    };

    try {
      const websocket = create(pair);

      expect(websocket.emit('ping')).toBe(true);
      expect(websocket.eventNames()).toEqual(['ping']);
      expect(calls).toEqual(['ping']);
    } finally {
      EventEmitter.init = init;
    }
  });

  test('belong to one WebSocket each', () => {
    const [one, other] = [create(pair), create(pair)];
    let count = 0;

    one.on('ping', () => count++);
    expect(other.emit('ping')).toBe(false);
    expect(one.emit('ping')).toBe(true);
    expect(count).toBe(1);
  });
});
