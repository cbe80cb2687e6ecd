'use strict';

const dns = require('dns');
const { EventEmitter, once } = require('events');
const net = require('net');
const { runInThisContext } = require('vm');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations
} = require('../support/implementations');
const { linkLocalAddress } = require('../support/link-local');
const { rawServer } = require('../support/raw');
const { trackSocket, trackWebSocketServer } = require('../support/resources');
const { trace } = require('../support/trace');

const EARLY = 'WebSocket was closed before the connection was established';
const closed = {
  event: 'close',
  readyState: 3,
  code: 1006,
  reason: 'Buffer(0) '
};

/** Resolves what the client emits until 'close'. */
async function events(client) {
  const recorded = trace(client);

  await new Promise((resolve) => client.on('close', resolve));
  return recorded;
}

/** The error of a client, with what JSON leaves out. */
async function failure(client) {
  const [err] = await new Promise((resolve) => {
    client.on('error', (...args) => resolve(args));
  });

  return fieldsOf(err);
}

function fieldsOf(err) {
  const { name, message, code, errno, syscall, address, port, hostname } = err;

  return {
    name,
    message,
    code,
    errno,
    syscall,
    address,
    port,
    hostname,
    errors: err.errors && err.errors.map(fieldsOf)
  };
}

/**
 * A port that nobody listens on. It lies below those that the system gives to
 * clients: from one of these TCP may connect a client to itself.
 */
const UNUSED_PORT = 1;

/** The error that Node itself makes for this connection. */
async function errorOfNode(options) {
  const socket = net.connect(options);
  const [err] = await new Promise((resolve) => {
    socket.on('error', (...args) => resolve(args));
  });

  return fieldsOf(err);
}

/** What becomes of a connection: the addresses of its ends, or an error. */
function outcome(emitter, opened, socketOf) {
  return new Promise((resolve) => {
    emitter.on('error', (err) => resolve(fieldsOf(err)));
    emitter.on(opened, () => {
      const { localAddress, remoteAddress, remotePort } = socketOf();

      resolve({ localAddress, remoteAddress, remotePort });
    });
  });
}

describeEach(routedImplementations, 'a refused connection', (row) => {
  const { lib: WebSocket, route } = row;
  const scheme = route === 'TLS' ? 'wss' : 'ws';

  test("fails with Node's error", async () => {
    const client = dial(
      { WebSocket, route },
      `${scheme}://127.0.0.1:${UNUSED_PORT}`
    );

    expect(await events(client)).toEqual([
      {
        event: 'error',
        readyState: 2,
        class: 'Error',
        message: `connect ECONNREFUSED 127.0.0.1:${UNUSED_PORT}`,
        code: 'ECONNREFUSED',
        errno: -111,
        syscall: 'connect',
        address: '127.0.0.1'
      },
      closed
    ]);
  });

  // Jest runs this in a context with classes of its own.
  test('fails with an error that Node takes for one', async () => {
    const client = dial(
      { WebSocket, route },
      `${scheme}://127.0.0.1:${UNUSED_PORT}`
    );
    const err = await new Promise((resolve) => client.on('error', resolve));

    expect(err).toBeInstanceOf(runInThisContext('Error'));
    expect(() => new EventEmitter().emit('error', err)).toThrow(err);
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])(
    'at %s has every field of it',
    async (host) => {
      const client = dial(
        { WebSocket, route },
        `${scheme}://${host}:${UNUSED_PORT}`
      );

      expect(await failure(client)).toEqual(
        await errorOfNode({
          host: host.replace(/[[\]]/g, ''),
          port: UNUSED_PORT
        })
      );
    }
  );

  test('at several addresses names them all', async () => {
    const lookup = (hostname, options, callback) => {
      const addresses = [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 }
      ];

      if (options.all) callback(null, addresses);
      else callback(null, '127.0.0.1', 4);
    };
    const client = dial(
      { WebSocket, route },
      `${scheme}://example.com:${UNUSED_PORT}`,
      [],
      { lookup }
    );

    expect(await failure(client)).toEqual(
      await errorOfNode({ host: 'example.com', port: UNUSED_PORT, lookup })
    );
  });
});

describeEach(implementations, 'name resolution', ({ lib: WebSocket }) => {
  test('of an unknown name fails with the error of Node', async () => {
    const client = dial({ WebSocket }, 'ws://name.invalid:1');

    expect(await failure(client)).toEqual(
      await errorOfNode({ host: 'name.invalid', port: 1 })
    );
    expect(client.readyState).toBe(3);
  });

  test('fails with what the option lookup gives', async () => {
    const err = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const client = dial({ WebSocket }, 'ws://example.com:1', [], {
      lookup: (hostname, options, callback) => callback(err)
    });
    const [emitted] = await new Promise((resolve) => {
      client.on('error', (...args) => resolve(args));
    });

    expect(emitted).toBe(err);
  });

  test('uses the option lookup', async () => {
    const { port } = await listen(WebSocket);
    const names = [];
    const client = dial({ WebSocket }, `ws://example.com:${port}`, [], {
      lookup: (hostname, options, callback) => {
        names.push(hostname);
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      }
    });

    await once(client, 'open');
    expect(names).toEqual(['example.com']);
  });

  test.each([undefined, 0, 4, 6])('obeys family %p', async (family) => {
    const { lookup } = dns;
    const options = { host: 'two.example', port: UNUSED_PORT, family };

    // It begins as Node's does: a client goes other ways with one that does not.
    dns.lookup = function lookup(hostname, options, callback) {
      let hints = ['127.0.0.1', '127.0.0.2'];

      hints = hints.map((address) => ({ address, family: 4 }));
      process.nextTick(
        callback,
        ...(options.all ? [null, hints] : [null, hints[0].address, 4])
      );
    };

    try {
      const client = dial({ WebSocket }, 'ws://two.example:1', [], { family });

      expect(await failure(client)).toEqual(await errorOfNode(options));
    } finally {
      dns.lookup = lookup;
    }
  });

  test('finds localhost', async () => {
    const { port } = await listen(WebSocket, { host: 'localhost' });

    await once(dial({ WebSocket }, `ws://localhost:${port}`), 'open');
  });

  test.each([
    ['family', { family: 4 }],
    ['localAddress', { localAddress: '127.0.0.3' }],
    ['autoSelectFamily', { autoSelectFamily: false }]
  ])('and connecting obey the option %s', async (_, options) => {
    const { wss, port } = await listen(WebSocket, { host: '0.0.0.0' });
    const client = dial({ WebSocket }, `ws://127.0.0.1:${port}`, [], options);
    const [[, request]] = await Promise.all([
      once(wss, 'connection'),
      once(client, 'open')
    ]);

    expect(request.socket.remoteAddress).toBe(
      options.localAddress || '127.0.0.1'
    );
  });
});

describeEach(routedImplementations, 'a client that gives up', (row) => {
  const { lib: WebSocket, route } = row;

  test.each([
    ['close', []],
    ['close', [1000, 'reason']],
    ['close', ['not a code']],
    ['terminate', []]
  ])('with %s(...%p) in the constructor tick', async (method, args) => {
    const { url } = await rawServer(() => {}, route);
    const client = dial({ WebSocket, route }, url);
    const recorded = events(client);

    client[method](...args);
    expect(client.readyState).toBe(2);
    client[method](...args);
    expect(await recorded).toEqual([
      { event: 'error', readyState: 2, class: 'Error', message: EARLY },
      closed
    ]);
  });

  test.each(['close', 'terminate'])(
    'with %s() while it waits for the answer',
    async (method) => {
      let onPeer;
      const asked = new Promise((resolve) => (onPeer = resolve));
      const { url } = await rawServer((peer) => onPeer(peer), route);
      const client = dial({ WebSocket, route }, url);
      const recorded = events(client);
      const peer = await asked;

      client[method]();
      expect(await recorded).toEqual([
        { event: 'error', readyState: 2, class: 'Error', message: EARLY },
        closed
      ]);
      await peer.ended;
    }
  );

  test('after handshakeTimeout milliseconds without an answer', async () => {
    let onPeer;
    const asked = new Promise((resolve) => (onPeer = resolve));
    const { url } = await rawServer((peer) => onPeer(peer), route);
    const client = dial({ WebSocket, route }, url, [], {
      handshakeTimeout: 50
    });

    expect(await events(client)).toEqual([
      {
        event: 'error',
        readyState: 2,
        class: 'Error',
        message: 'Opening handshake has timed out'
      },
      closed
    ]);
    await asked.then((peer) => peer.ended);
  });

  test('cannot send any more', async () => {
    const { url } = await rawServer(() => {}, route);
    const client = dial({ WebSocket, route }, url);

    client.terminate();

    const callback = jest.fn();
    const recorded = events(client);

    client.send('four', callback);
    client.send(Buffer.from('six'));
    client.ping('1');
    expect(callback).not.toHaveBeenCalled();
    expect(client.bufferedAmount).toBe(8);
    await recorded;
    expect(callback.mock.calls).toEqual([
      [
        expect.objectContaining({
          message: 'WebSocket is not open: readyState 2 (CLOSING)'
        })
      ]
    ]);
    client.send('x');
    expect(client.bufferedAmount).toBe(9);
  });
});

describeEach(implementations, 'an address with a zone', ({ lib }) => {
  const { WebSocket, WebSocketServer } = lib;

  // From libuv 1.47 on, which is in Node.js 22, one is found for it.
  test('of which the zone is not named leads where Node finds it', async () => {
    const wss = trackWebSocketServer(
      new WebSocketServer({ port: 0, host: '::' })
    );

    await once(wss, 'listening');

    const host = linkLocalAddress();
    const { port } = wss.address();
    const socket = trackSocket(net.connect({ host, port }));
    const client = dial({ WebSocket }, `ws://[${host}]:${port}`);

    const [ours, expected] = await Promise.all([
      outcome(client, 'open', () => client._socket),
      outcome(socket, 'connect', () => socket)
    ]);

    expect(ours).toEqual(expected);
    expect(await failure(dial({ WebSocket }, `ws://[${host}]:1`))).toEqual(
      await errorOfNode({ host, port: 1 })
    );
  });

  test.each(['::1%lo', '::1%no-such-zone'])(
    '%s is listened on',
    async (host) => {
      const wss = trackWebSocketServer(new WebSocketServer({ port: 0, host }));

      await once(wss, 'listening');
      expect(wss.address()).toEqual({
        address: '::1',
        family: 'IPv6',
        port: expect.any(Number)
      });
      expect(Object.keys(wss.address())).toEqual(['address', 'family', 'port']);
    }
  );

  test("that is nobody's is an error of Node", async () => {
    const host = 'fe80::1%no-such-zone';
    const wss = new WebSocketServer({ port: 0, host });
    const [err] = await once(wss, 'error').catch((err) => [err]);

    expect(fieldsOf(err)).toMatchObject({
      message: `listen EINVAL: invalid argument ${host}`,
      code: 'EINVAL',
      syscall: 'listen',
      address: host
    });
  });

  test('is dialled when a name stands for it', async () => {
    const wss = trackWebSocketServer(
      new WebSocketServer({ port: 0, host: '::1' })
    );
    const { lookup } = dns;

    await once(wss, 'listening');
    dns.lookup = (name, { all }, callback) => {
      const answer = { address: '::1%lo', family: 6 };

      process.nextTick(
        ...(all
          ? [callback, null, [answer]]
          : [callback, null, answer.address, answer.family])
      );
    };
    try {
      const client = dial(
        { WebSocket },
        `ws://zone.example:${wss.address().port}`
      );

      await once(client, 'open');
      expect(client._socket.remoteAddress).toBe('::1');
    } finally {
      dns.lookup = lookup;
    }
  });
});
