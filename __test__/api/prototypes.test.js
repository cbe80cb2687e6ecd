'use strict';

const { once } = require('events');

const { connect } = require('../support/connection');
const {
  describeEach,
  oxws,
  routedPairs,
  ws
} = require('../support/implementations');
const { onRelease } = require('../support/resources');

/** Methods that tools replace on the classes, for all connections. */
const methods = {
  WebSocketServer: ['completeUpgrade', 'handleUpgrade', 'shouldHandle'],
  WebSocket: ['close', 'emit', 'emitClose', 'pong', 'send', 'setSocket'],
  Receiver: ['on', '_write', 'end', 'emit'],
  Sender: ['close', 'ping', 'pong', 'send', 'sendFrame']
};

/** Counts the calls of each of them, until the test is over. */
function count(lib) {
  const calls = {};

  for (const [name, names] of Object.entries(methods)) {
    for (const method of names) {
      wrap(lib[name].prototype, method, calls, `${name}#${method}`);
    }
  }
  wrap(lib.Sender, 'frame', calls, 'Sender.frame');
  return calls;
}

function wrap(object, name, calls, label) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const original = object[name];

  calls[label] = 0;
  object[name] = function counted(...args) {
    calls[label]++;
    return original.apply(this, args);
  };
  onRelease(() => {
    if (descriptor) Object.defineProperty(object, name, descriptor);
    else delete object[name];
  });
}

/** A connection with a bit of everything; resolves what was called. */
async function converse(lib, route) {
  const { WebSocket, WebSocketServer } = lib;
  const calls = count(lib);
  const { client, server } = await connect(
    { WebSocket, WebSocketServer, route },
    { onServer: (server) => server.send('hello') }
  );
  const closed = [client, server].map((websocket) => once(websocket, 'close'));

  client.ping();
  await once(client, 'pong');
  client.send(Buffer.from('binary'));
  await once(server, 'message');
  client.close();
  await Promise.all(closed);
  return calls;
}

test.each(['native', 'adopted', 'TLS'])(
  'methods of the classes are called as often as in ws (%s)',
  async (route) => {
    const expected = await converse(ws, route);

    expect(Object.values(expected)).not.toContain(0);

    const calls = await converse(oxws, route);

    // With the I/O thread a frame's header may come before its payload.
    expect(calls).toEqual({
      ...expected,
      'Receiver#_write': expect.any(Number)
    });
    expect(calls['Receiver#_write']).toBeGreaterThanOrEqual(
      expected['Receiver#_write']
    );
  }
);

describeEach(routedPairs, 'what is put in place of a method', (pair) => {
  const watch = {
    '_sender.sendFrame': (ws, note) => {
      const { sendFrame } = ws._sender;

      ws._sender.sendFrame = (list, cb) => {
        note();
        sendFrame.call(ws._sender, list, cb);
      };
    },
    '_sender.send': (ws, note) => {
      const { send } = ws._sender;

      ws._sender.send = (...args) => {
        note();
        send.apply(ws._sender, args);
      };
    },
    '_socket.write': (ws, note) => {
      const { write } = ws._socket;

      ws._socket.write = (...args) => {
        note();
        return write.apply(ws._socket, args);
      };
    }
  };

  test.each(Object.keys(watch))('%s sees each message', async (name) => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: { threshold: 0 } },
      client: { perMessageDeflate: { threshold: 0 } }
    });
    let count = 0;

    for (const [from, to] of [
      [client, server],
      [server, client]
    ]) {
      from.send('before '.repeat(10));
      expect(String((await once(to, 'message'))[0])).toBe('before '.repeat(10));
      watch[name](from, () => count++);
      for (const text of ['one', 'two '.repeat(1000), 'three']) {
        const seen = count;

        from.send(text);
        expect(String((await once(to, 'message'))[0])).toBe(text);
        expect(count).toBeGreaterThan(seen);
      }
    }
  });

  test('a class of PerMessageDeflate is asked to compress', async () => {
    const { client, server } = await connect(pair, {
      server: { perMessageDeflate: { threshold: 0 } },
      client: { perMessageDeflate: { threshold: 0 } }
    });
    const { prototype } = server._extensions['permessage-deflate'].constructor;
    const lengths = [];
    const { compress } = prototype;

    prototype.compress = function counting(data, fin, callback) {
      compress.call(this, data, fin, (err, output) => {
        lengths.push(output.length);
        callback(err, output);
      });
    };
    onRelease(() => (prototype.compress = compress));
    server.send('a'.repeat(1000));
    expect((await once(client, 'message'))[0].length).toBe(1000);
    expect(lengths.length).toBe(1);
    expect(lengths[0]).toBeLessThan(100);
  });
});
