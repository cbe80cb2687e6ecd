'use strict';

const { once } = require('events');

const { connect, dial } = require('../support/connection');
const {
  describeEach,
  implementations,
  pairs
} = require('../support/implementations');

const TYPES = ['open', 'message', 'error', 'close'];

/** A client that never connects: the test emits its events itself. */
function detached(lib) {
  return dial({ WebSocket: lib }, 'ws://127.0.0.1:1/');
}

/** Ends it without the events that a listener of the test would see. */
function silence(websocket) {
  websocket.removeAllListeners();
}

describeEach(pairs, 'the events of a connection', (pair) => {
  test('are objects with what happened', async () => {
    const events = [];
    const note = (event) => events.push(event);
    const { client, server } = await connect(pair, {
      onClient: (client) => {
        for (const type of TYPES) client.addEventListener(type, note);
      }
    });

    server.send('text');
    server.send(Buffer.from('bytes'));
    server.close(4000, 'Bye');
    await once(client, 'close');
    expect(events.map(({ type }) => type)).toEqual([
      'open',
      'message',
      'message',
      'close'
    ]);
    expect(events.every(({ target }) => target === client)).toBe(true);
    expect(events[1].data).toBe('text');
    expect(events[2].data).toEqual(Buffer.from('bytes'));
    expect([events[3].code, events[3].reason, events[3].wasClean]).toEqual([
      4000,
      'Bye',
      true
    ]);
  });

  test('are not clean after terminate()', async () => {
    const { client, server } = await connect(pair);
    const closed = Promise.all(
      [client, server].map(
        (websocket) => new Promise((resolve) => (websocket.onclose = resolve))
      )
    );

    client.terminate();
    for (const { code, reason, wasClean } of await closed) {
      expect([code, reason, wasClean]).toEqual([1006, '', false]);
    }
  });

  test('are clean on both sides after close()', async () => {
    const { client, server } = await connect(pair);
    const closed = Promise.all(
      [client, server].map(
        (websocket) => new Promise((resolve) => (websocket.onclose = resolve))
      )
    );

    client.close(1000, 'h\u00e9');
    for (const { code, reason, wasClean } of await closed) {
      expect([code, reason, wasClean]).toEqual([1000, 'h\u00e9', true]);
    }
  });

  test('have data of the binary type', async () => {
    const { client, server } = await connect(pair);
    const types = ['arraybuffer', 'fragments', 'blob'];

    for (const type of types) {
      const received = new Promise((resolve) => (client.onmessage = resolve));

      client.binaryType = type;
      server.send(Buffer.from('abc'));

      const { data } = await received;

      expect(data.constructor.name).toBe(
        { arraybuffer: 'ArrayBuffer', fragments: 'Array', blob: 'Blob' }[type]
      );
    }
  });

  test('call onopen, onmessage and onclose with this', async () => {
    const calls = [];
    const { client, server } = await connect(pair, {
      onClient: (client) => {
        for (const type of ['open', 'message', 'close']) {
          client[`on${type}`] = function (event) {
            calls.push([type, event.type, this === client]);
          };
        }
      }
    });

    server.send('x');
    server.close();
    await once(client, 'close');
    expect(calls).toEqual([
      ['open', 'open', true],
      ['message', 'message', true],
      ['close', 'close', true]
    ]);
  });
});

describeEach(implementations, 'addEventListener()', ({ lib }) => {
  test('gives an error event what was emitted', () => {
    const websocket = detached(lib);
    const failure = new Error('why');
    const seen = [];

    websocket.addEventListener('error', (event) => seen.push(event));
    websocket.emit('error', failure);
    silence(websocket);
    expect(seen).toHaveLength(1);
    expect(seen[0].error).toBe(failure);
    expect([seen[0].type, seen[0].message]).toEqual(['error', 'why']);
    expect(seen[0].target).toBe(websocket);
  });

  test('calls a function with this, and objects with handleEvent', () => {
    const websocket = detached(lib);
    const calls = [];
    const object = {
      handleEvent(event) {
        calls.push(['object', this === object, event.type]);
      }
    };

    websocket.addEventListener('open', function (event) {
      calls.push(['function', this === websocket, event.type]);
    });
    websocket.addEventListener('open', object);
    websocket.emit('open');
    silence(websocket);
    expect(calls).toEqual([
      ['function', true, 'open'],
      ['object', true, 'open']
    ]);
  });

  test('adds the same listener once', () => {
    const websocket = detached(lib);
    const listener = jest.fn();

    websocket.addEventListener('open', listener);
    websocket.addEventListener('open', listener);
    websocket.addEventListener('open', listener, { once: true });
    expect(websocket.listenerCount('open')).toBe(1);
    websocket.emit('open');
    websocket.emit('open');
    silence(websocket);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('with once removes the listener itself', () => {
    const websocket = detached(lib);
    const listener = jest.fn();

    websocket.addEventListener('message', listener, { once: true });
    websocket.emit('message', Buffer.from('1'), false);
    websocket.emit('message', Buffer.from('2'), false);
    expect(websocket.listenerCount('message')).toBe(0);
    silence(websocket);
    expect(listener.mock.calls.map(([{ data }]) => data)).toEqual(['1']);
  });

  test.each(['ping', 'pong', 'upgrade', 'foo', 'unexpected-response'])(
    'knows no %s',
    (type) => {
      const websocket = detached(lib);

      websocket.addEventListener(type, () => {});
      expect(websocket.listenerCount(type)).toBe(0);
    }
  );
});

describeEach(implementations, 'removeEventListener()', ({ lib }) => {
  test('removes what addEventListener() added', () => {
    const websocket = detached(lib);
    const listener = jest.fn();

    for (const type of TYPES) {
      websocket.addEventListener(type, listener);
      websocket.addEventListener(type, listener, { once: true });
      expect(websocket.listenerCount(type)).toBe(1);
      websocket.removeEventListener(type, listener);
      websocket.removeEventListener(type, listener);
      expect(websocket.listenerCount(type)).toBe(0);
    }
  });

  test('leaves listeners of on() and on* alone', () => {
    const websocket = detached(lib);
    const listener = () => {};

    websocket.on('message', listener);
    websocket.onmessage = listener;
    websocket.removeEventListener('message', listener);
    expect(websocket.listenerCount('message')).toBe(2);
    expect(websocket.onmessage).toBe(listener);
  });

  test('of the other kind is for removeListener()', () => {
    const websocket = detached(lib);
    const listener = () => {};

    websocket.addEventListener('message', listener);
    websocket.removeListener('message', listener);
    expect(websocket.listenerCount('message')).toBe(1);
  });
});

describeEach(implementations, 'the on* attributes', ({ lib }) => {
  test.each(TYPES)('on%s is one listener at a time', (type) => {
    const websocket = detached(lib);
    const attribute = `on${type}`;
    const first = () => {};
    const second = () => {};

    expect(websocket[attribute]).toBe(null);
    websocket[attribute] = first;
    expect(websocket[attribute]).toBe(first);
    websocket[attribute] = second;
    expect(websocket[attribute]).toBe(second);
    expect(websocket.listenerCount(type)).toBe(1);
  });

  test.each([null, undefined, 'text', {}, { handleEvent() {} }, 1])(
    'are cleared by %p',
    (value) => {
      const websocket = detached(lib);

      for (const type of TYPES) {
        websocket[`on${type}`] = () => {};
        websocket[`on${type}`] = value;
        expect(websocket[`on${type}`]).toBe(null);
        expect(websocket.listenerCount(type)).toBe(0);
      }
    }
  );

  test('stand beside the same function of addEventListener()', () => {
    const websocket = detached(lib);
    const listener = jest.fn();

    websocket.onopen = listener;
    websocket.addEventListener('open', listener);
    expect(websocket.listenerCount('open')).toBe(2);
    websocket.emit('open');
    expect(listener).toHaveBeenCalledTimes(2);
    websocket.onopen = null;
    expect(websocket.listenerCount('open')).toBe(1);
    silence(websocket);
  });

  test('do not show listeners of on()', () => {
    const websocket = detached(lib);

    for (const type of TYPES) {
      websocket.on(type, () => {});
      expect(websocket[`on${type}`]).toBe(null);
      expect(websocket.listeners(type)).toHaveLength(1);
    }
  });
});

describeEach(implementations, 'the event classes', ({ lib }) => {
  /** The four events, as a listener gets them. */
  function events() {
    const websocket = detached(lib);
    const seen = [];

    for (const type of TYPES) {
      websocket.addEventListener(type, (event) => seen.push(event));
    }
    websocket.emit('open');
    websocket.emit('message', Buffer.from('x'), false);
    websocket.emit('error', new Error('e'));
    websocket.emit('close', 1000, Buffer.from('r'));
    silence(websocket);
    return seen;
  }

  test('are our own', () => {
    expect(events().map(({ constructor }) => constructor.name)).toEqual([
      'Event',
      'MessageEvent',
      'ErrorEvent',
      'CloseEvent'
    ]);
    expect(events().some((event) => event instanceof Event)).toBe(false);
  });

  test('have enumerable attributes that cannot be set', () => {
    const attributes = (event) => {
      const names = [];

      for (const name in event) names.push(name);
      return names.sort();
    };

    expect(events().map(attributes)).toEqual([
      ['target', 'type'],
      ['data', 'target', 'type'],
      ['error', 'message', 'target', 'type'],
      ['code', 'reason', 'target', 'type', 'wasClean']
    ]);

    const [open] = events();

    expect(() => (open.type = 'x')).toThrow(TypeError);
  });

  test('can be made by the class alone', () => {
    const [open, message, error, close] = events().map(
      ({ constructor, type }) => new constructor(type)
    );

    expect([open.type, open.target]).toEqual(['open', null]);
    expect(message.data).toBe(null);
    expect([error.error, error.message]).toEqual([null, '']);
    expect([close.code, close.reason, close.wasClean]).toEqual([0, '', false]);
  });
});
