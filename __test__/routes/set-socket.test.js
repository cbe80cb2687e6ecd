'use strict';

const { once } = require('events');
const net = require('net');

const { kConnection } = require('../../lib/constants');
const { describeEach, ws } = require('../support/implementations');
const { RawPeer } = require('../support/raw');
const {
  doNotAdopt,
  trackServer,
  trackSocket
} = require('../support/resources');
const { frame, KEY, OPCODE } = require('../support/wire');
const {
  messages,
  pairs,
  record,
  allArrived,
  turns
} = require('./support/matrix');
const MemorySocket = require('./support/memory-socket');
const {
  ADOPTED,
  fromStream,
  temporarySocketPath
} = require('./support/routes');

const implementations = pairs.filter(
  ({ serverLib, clientLib }) => serverLib === clientLib
);

/** The two ends of a TCP connection that never carried HTTP. */
async function socketPair(where = { port: 0, host: '127.0.0.1' }, options) {
  const server = trackServer(net.createServer(options));

  server.listen(where);
  await once(server, 'listening');

  const accepted = once(server, 'connection');
  const address = where.path ? where : { port: server.address().port };
  const client = trackSocket(
    net.connect({ host: '127.0.0.1', ...address, ...options })
  );

  await once(client, 'connect');
  return [(await accepted)[0], client];
}

describeEach(pairs, 'setSocket()', ({ serverLib, clientLib }) => {
  const carried = (websocket, name) => {
    if (!(websocket instanceof ws)) {
      expect(websocket[kConnection].constructor.name).toBe(name);
    }
  };

  /** Talks over two streams and closes. */
  async function talk(near, far) {
    const server = fromStream(serverLib, near, true);
    const client = fromStream(clientLib, far, false);
    const events = { server: record(server), client: record(client) };
    const closed = Promise.all([once(server, 'close'), once(client, 'close')]);

    for (const websocket of [server, client]) {
      expect(websocket.readyState).toBe(1);
      expect(websocket._socket).toBe(websocket === server ? near : far);
      websocket.on('message', (data) => {
        if (String(data) === 'hello') websocket.send(Buffer.alloc(200000));
      });
    }

    const arrivals = Promise.all([messages(server, 2), messages(client, 2)]);

    server.send('hello');
    client.send('hello');
    await arrivals;
    server.close(3000, 'enough');
    await closed;

    const lines = [
      '1 message text Buffer(5) hello',
      expect.stringContaining('1 message binary Buffer(200000) '),
      '3 close 3000 Buffer(6) enough'
    ];

    expect(events).toEqual({ server: lines, client: lines });
    return { server, client };
  }

  test('takes plain TCP sockets', async () => {
    const { server, client } = await talk(...(await socketPair()));

    carried(server, ADOPTED);
    carried(client, ADOPTED);
  });

  test('takes plain TCP sockets and leaves them to Node', async () => {
    doNotAdopt();

    const { server, client } = await talk(...(await socketPair()));

    carried(server, 'StreamConnection');
    carried(client, 'StreamConnection');
  });

  test('takes sockets that stay half open', async () => {
    const options = { allowHalfOpen: true };

    await talk(...(await socketPair(undefined, options)));
  });

  test('takes sockets of the file system', async () => {
    const where = { path: temporarySocketPath() };
    const { server, client } = await talk(...(await socketPair(where)));

    carried(server, ADOPTED);
    carried(client, ADOPTED);
  });

  test('takes a socket that waits to be written', async () => {
    const [near, far] = await socketPair();

    near.cork();
    near.write(frame({ opcode: OPCODE.text, payload: 'before' }));

    const server = fromStream(serverLib, near, true);
    const client = fromStream(clientLib, far, false);
    const arrival = messages(client, 2);

    server.send('after');
    near.uncork();
    expect((await arrival).map(([data]) => String(data))).toEqual([
      'before',
      'after'
    ]);
  });

  test('takes a socket whose bytes have been waiting', async () => {
    const [near, far] = await socketPair();
    const client = fromStream(clientLib, far, false);

    client.send('in the socket');
    client.send('too');
    await once(near, 'readable');

    const server = fromStream(serverLib, near, true);
    const arrival = messages(server, 3);

    client.send('later');
    expect((await arrival).map(([data]) => String(data))).toEqual([
      'in the socket',
      'too',
      'later'
    ]);
  });

  // A listener of 'data' does not resume what was paused on purpose.
  test('takes a paused socket, which stays paused', async () => {
    const [near, far] = await socketPair();

    near.pause();

    const server = fromStream(serverLib, near, true);
    const client = fromStream(clientLib, far, false);
    const events = record(server);
    const arrival = messages(server, 1);

    client.send('waits');
    await turns();
    expect(events).toEqual([]);
    near.resume();
    await arrival;
  });

  test('takes Duplexes of the user', async () => {
    const { server, client } = await talk(...MemorySocket.pair());

    carried(server, 'StreamConnection');
    carried(client, 'StreamConnection');
  });

  test('takes Duplexes with a small highWaterMark', async () => {
    await talk(...MemorySocket.pair({ highWaterMark: 16 }));
  });
});

describeEach(implementations, 'setSocket() by itself', (pair) => {
  const { WebSocket } = pair;

  test('opens a WebSocket that was made without an address', () => {
    const [socket] = MemorySocket.pair();
    const websocket = new WebSocket(null, undefined, { isServer: false });
    const states = [];

    expect(websocket.readyState).toBe(0);
    expect(websocket._socket).toBe(null);
    expect(websocket.url).toBe(undefined);
    websocket.on('open', () => states.push(websocket.readyState));
    websocket._isServer = false;
    websocket.setSocket(socket, Buffer.alloc(0), { maxPayload: 0 });
    expect(states).toEqual([1]);
    websocket.terminate();
  });

  test('reads the head first, in the role that it has', async () => {
    for (const isServer of [true, false]) {
      const [socket, peer] = MemorySocket.pair();
      const websocket = new WebSocket(null, undefined, { isServer });
      const text = (payload) =>
        frame({
          opcode: OPCODE.text,
          payload,
          key: isServer ? KEY : undefined
        });

      websocket._isServer = isServer;
      peer.write(text('in the stream'));
      websocket.setSocket(socket, text('in the head'), { maxPayload: 0 });

      const arrival = messages(websocket, 2);

      expect((await arrival).map(([data]) => String(data))).toEqual([
        'in the head',
        'in the stream'
      ]);

      const raw = new RawPeer(peer);

      websocket.send('answer');

      const sent = await raw.frame();

      expect(String(sent.payload)).toBe('answer');
      expect(sent.key === null).toBe(isServer);
      websocket.terminate();
    }
  });

  test('obeys its options', async () => {
    const [socket, peer] = MemorySocket.pair();
    const websocket = new WebSocket(null, undefined, {
      autoPong: false,
      // There is no default here: without it the socket is closed at once.
      closeTimeout: 30_000
    });
    const raw = new RawPeer(peer);

    websocket.setSocket(socket, Buffer.alloc(0), { maxPayload: 3 });

    const events = record(websocket);

    raw.write(
      frame({ opcode: OPCODE.ping, payload: 'ping', key: KEY }),
      frame({ opcode: OPCODE.text, payload: 'four', key: KEY })
    );

    const answer = await raw.frame();

    expect(answer.opcode).toBe(OPCODE.close);
    expect(answer.payload.readUInt16BE()).toBe(1009);
    websocket.terminate();
    await once(websocket, 'close').catch(() => {});
    expect(events.slice(0, 2)).toEqual([
      '1 ping Buffer(4) ping',
      '2 error RangeError WS_ERR_UNSUPPORTED_MESSAGE_LENGTH ' +
        'Max payload size exceeded'
    ]);
  });

  test('works on a class that extends WebSocket', async () => {
    class Mine extends WebSocket {
      setSocket(socket, head, options) {
        this.socketSeen = socket;
        super.setSocket(socket, head, options);
      }
    }

    const ends = MemorySocket.pair();
    const server = fromStream({ WebSocket: Mine }, ends[0], true);
    const client = fromStream({ WebSocket: Mine }, ends[1], false);

    expect(server.socketSeen).toBe(ends[0]);
    expect(client.socketSeen).toBe(ends[1]);
    await allArrived(client, server);
  });
});
