'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { dial, listen } = require('../support/connection');
const {
  describeEach,
  implementations,
  routedImplementations,
  ws
} = require('../support/implementations');
const { rawServer, switchingProtocols } = require('../support/raw');
const { onRelease, trackServer } = require('../support/resources');
const { trace } = require('../support/trace');
const { temporarySocketPath } = require('../routes/support/routes');

const ABNORMAL = {
  event: 'close',
  readyState: 3,
  code: 1006,
  reason: 'Buffer(0) '
};
const timedOut = {
  event: 'error',
  readyState: 2,
  class: 'Error',
  message: 'Opening handshake has timed out'
};

/** All that a client emits until it is closed. */
async function events(client) {
  const entries = trace(client);

  await new Promise((resolve) => client.on('close', resolve));
  return entries;
}

/** Writes `text` every few milliseconds, as long as somebody is there. */
function drip(peer, text) {
  const timer = setInterval(() => peer.write(text), 5);

  onRelease(() => clearInterval(timer));
  peer.closed.then(() => clearInterval(timer));
}

/** What keeps a client busy without ever answering. */
const busy = [
  ['a head that never ends', 'HTTP/1.1 101 X\r\n', 'a: b\r\n'],
  ['a status line that never ends', 'HTTP/1.1 101 ', 'X'],
  ['informational answers', '', 'HTTP/1.1 102 Processing\r\n\r\n']
];

describeEach(routedImplementations, 'handshakeTimeout', ({ lib, route }) => {
  // ws has the client wait as long as bytes come.
  const eachOfOurs = lib === ws ? () => {} : test.each(busy);

  eachOfOurs('is a deadline for %s', async (_, start, more) => {
    const { url } = await rawServer((peer) => {
      peer.write(start);
      drip(peer, more);
    }, route);
    const client = dial({ WebSocket: lib.WebSocket, route }, url, [], {
      handshakeTimeout: 60
    });
    const entries = trace(client);
    const closed = new Promise((resolve) => client.on('close', resolve));

    await closed;
    expect(entries).toEqual([timedOut, ABNORMAL]);
  });

  test('may be longer than the longest timer', async () => {
    const { url } = await listen({
      WebSocketServer: lib.WebSocketServer,
      route
    });

    // Node takes the longest one, and prints a warning.
    const longer = lib !== ws && route === 'native' ? [2 ** 31] : [];

    for (const handshakeTimeout of [2 ** 31 - 1, ...longer]) {
      const client = dial({ WebSocket: lib.WebSocket, route }, url, [], {
        handshakeTimeout
      });

      await once(client, 'open');
    }
  });

  test('does not end a connection that is open', async () => {
    const { url, wss } = await listen({
      WebSocketServer: lib.WebSocketServer,
      route
    });
    let handshakeTimeout = 50;
    let entries;

    wss.on('connection', (websocket) => {
      setTimeout(() => websocket.close(1000), handshakeTimeout + 50);
    });
    do {
      // A machine that is too slow for it gets more time.
      handshakeTimeout *= 2;
      entries = await events(
        dial({ WebSocket: lib.WebSocket, route }, url, [], { handshakeTimeout })
      );
    } while (entries.some(({ message }) => message === timedOut.message));
    expect(entries).toMatchObject([
      { event: 'upgrade' },
      { event: 'open' },
      { event: 'close', code: 1000 }
    ]);
  });

  test('leaves a response alone that has been taken', async () => {
    const { url } = await rawServer((peer) => {
      peer.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno');
    }, route);
    let handshakeTimeout = 25;
    let client, onError, response;

    // A busy machine answers later.
    do {
      handshakeTimeout *= 2;
      onError = jest.fn();
      client = dial({ WebSocket: lib.WebSocket, route }, url, [], {
        handshakeTimeout
      });
      client.on('error', onError);
      response = await new Promise((resolve) => {
        client.on('unexpected-response', (_, response) => resolve(response));
        client.on('close', () => resolve(null));
      });
    } while (response === null);

    const text = [];

    for await (const chunk of response) text.push(chunk);
    expect(String(Buffer.concat(text))).toBe('no');
    await new Promise((resolve) => setTimeout(resolve, 2 * handshakeTimeout));
    expect(onError).not.toHaveBeenCalled();
    client.terminate();
    await once(client, 'close').catch(() => {});
  });
});

describeEach(routedImplementations, 'a client', ({ lib, route }) => {
  const connect = (url, options) =>
    dial({ WebSocket: lib.WebSocket, route }, url, [], options);

  test.each([
    ['a line', 'HTTP/1.1 101 X\r\na: ', 'b'.repeat(1000)],
    ['a reason', 'HTTP/1.1 101 ', 'b'.repeat(1000)],
    ['a head of another kind', 'HTTP/1.1 200 OK\r\na: ', 'b'.repeat(1000)]
  ])('stops reading %s that never ends', async (_, start, more) => {
    const { url } = await rawServer((peer) => {
      peer.write(start);
      drip(peer, more);
    }, route);

    expect(await events(connect(url))).toMatchObject([
      { event: 'error', readyState: 2, code: 'HPE_HEADER_OVERFLOW' },
      ABNORMAL
    ]);
  });

  test('reads 3000 headers in front of the answer as Node does', async () => {
    const { url } = await rawServer((peer, head) => {
      const lines = Array(2100).fill('a: b').join('\r\n');

      peer.write(switchingProtocols(head).replace('\r\n', `\r\n${lines}\r\n`));
    }, route);

    expect(await events(connect(url))).toMatchObject([
      { event: 'upgrade' },
      {
        event: 'error',
        message: 'Invalid Upgrade header'
      },
      ABNORMAL
    ]);
  });

  test.each([
    ['a NUL', 'a: b\0c'],
    ['a bare CR', 'a: b\rc: d'],
    ['a folded line', 'a: b\r\n c']
  ])('refuses %s in a header', async (_, line) => {
    const { url } = await rawServer((peer, head) => {
      peer.write(switchingProtocols(head, [line]));
    }, route);

    expect(await events(connect(url))).toMatchObject([
      { event: 'error', readyState: 2, code: expect.stringMatching(/^HPE_/) },
      ABNORMAL
    ]);
  });

  test('is refused by RST with the code of it', async () => {
    const { url } = await rawServer((peer) => {
      if (route === 'TLS') peer.socket.destroy();
      else peer.socket.resetAndDestroy();
    }, route);

    expect(await events(connect(url))).toMatchObject([
      { event: 'error', readyState: 2, code: 'ECONNRESET' },
      ABNORMAL
    ]);
  });
});

describeEach(implementations, 'a redirect', ({ name, lib: WebSocket }) => {
  /** A server that redirects to what `target()` says. */
  async function redirecting(target) {
    const server = trackServer(http.createServer());

    server.on('upgrade', (request, socket) => {
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target(request)}\r\n\r\n`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `ws://127.0.0.1:${server.address().port}`;
  }

  /** A server on a unix socket, and what it is called with. */
  async function listenOnPath() {
    const path = temporarySocketPath();
    const onConnection = jest.fn((socket) => socket.destroy());
    const server = trackServer(net.createServer(onConnection));

    server.listen(path);
    await once(server, 'listening');
    return { path, onConnection };
  }

  test('from the network to a unix socket', async () => {
    const { path, onConnection } = await listenOnPath();
    const { port } = new URL(
      await redirecting(() => `ws+unix:${path}:/secret`)
    );
    const client = dial({ WebSocket }, `ws://example.com:${port}`, [], {
      followRedirects: true,
      family: 4,
      lookup: (hostname, { all }, callback) =>
        all
          ? callback(null, [{ address: '127.0.0.1', family: 4 }])
          : callback(null, '127.0.0.1', 4)
    });
    const [error, close] = await events(client);

    expect(close).toEqual(ABNORMAL);
    if (name === 'ws') {
      expect(onConnection).toHaveBeenCalledTimes(1);
      return;
    }
    expect(onConnection).not.toHaveBeenCalled();
    expect(error).toMatchObject({
      event: 'error',
      readyState: 2,
      message: 'The server redirected to a unix socket'
    });
  });

  test.each(['127.0.0.1', 'localhost'])(
    'from %s to a unix socket is followed',
    async (hostname) => {
      const { path, onConnection } = await listenOnPath();
      const { port } = new URL(await redirecting(() => `ws+unix:${path}`));
      const client = dial({ WebSocket }, `ws://${hostname}:${port}`, [], {
        followRedirects: true,
        family: 4
      });

      expect(await events(client)).toMatchObject([
        { event: 'error' },
        ABNORMAL
      ]);
      expect(onConnection).toHaveBeenCalledTimes(1);
    }
  );

  test.each([
    ['file:///etc/passwd', 'SyntaxError'],
    ['javascript:alert(1)', 'SyntaxError'],
    ['data:text/plain,x', 'SyntaxError'],
    ['http://[::1', 'SyntaxError']
  ])('to %s is an error', async (location, type) => {
    const url = await redirecting(() => location);
    const client = dial({ WebSocket }, url, [], { followRedirects: true });

    expect(await events(client)).toMatchObject([
      { event: 'error', readyState: 2, class: type },
      ABNORMAL
    ]);
  });

  test('in circles ends', async () => {
    let count = 0;
    const url = await redirecting(() => `/${count++}`);
    const client = dial({ WebSocket }, url, [], { followRedirects: true });

    expect(await events(client)).toMatchObject([
      { event: 'error', message: 'Maximum redirects exceeded' },
      ABNORMAL
    ]);
    expect(count).toBe(11);
  });

  test('has its own time', async () => {
    const { url: end } = await rawServer(() => {});
    const url = await redirecting(() => end);
    const client = dial({ WebSocket }, url, [], {
      followRedirects: true,
      handshakeTimeout: 100
    });

    expect(await events(client)).toEqual([timedOut, ABNORMAL]);
  });
});
