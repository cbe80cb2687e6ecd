'use strict';

const { once } = require('events');
const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');
const { Duplex } = require('stream');

const { kConnection } = require('../../lib/constants');
const { listen } = require('../support/connection');
const { describeEach, oxws } = require('../support/implementations');
const {
  onRelease,
  trackServer,
  trackWebSocket
} = require('../support/resources');
const { TunnelAgent, connectProxy } = require('./support/connect-proxy');
const { messages, pairs, record } = require('./support/matrix');
const { ADOPTED } = require('./support/routes');

/** Where a client gets its socket from, and what carries it in oxws then. */
describeEach(pairs, 'the socket of a client', (pair) => {
  /** Connects and talks; resolves the client and the server's WebSocket. */
  async function talk(url, wss, options) {
    const connected = once(wss, 'connection');
    const client = trackWebSocket(
      new pair.WebSocket(url, { perMessageDeflate: false, ...options })
    );
    const [[server, request]] = await Promise.all([
      connected,
      once(client, 'open')
    ]);
    const events = { client: record(client), server: record(server) };
    const arrivals = [messages(server, 2), messages(client, 2)];

    for (const [from, name] of [
      [client, 'client'],
      [server, 'server']
    ]) {
      from.send(`from the ${name}`);
      from.send(Buffer.alloc(300000));
    }
    await Promise.all(arrivals);

    const closed = Promise.all([once(server, 'close'), once(client, 'close')]);

    client.close(1000, 'done');
    await closed;
    expect(events.client.at(-1)).toBe('3 close 1000 Buffer(4) done');
    expect(events.server.at(-1)).toBe('3 close 1000 Buffer(4) done');
    return { client, server, request };
  }

  function connectionOf(client) {
    return client instanceof oxws ? client[kConnection].constructor.name : null;
  }

  function named(name) {
    return pair.clientLib === oxws ? name : null;
  }

  test('comes from an agent that keeps sockets alive', async () => {
    const { wss, url } = await listen(pair);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

    onRelease(() => agent.destroy());
    for (let count = 0; count < 2; count++) {
      const { client } = await talk(url, wss, { agent });

      expect(connectionOf(client)).toBe(named(ADOPTED));
    }
  });

  test('comes from addRequest() of an agent of the user', async () => {
    const { wss, url } = await listen(pair);
    const onRequest = jest.fn();

    class Agent extends http.Agent {
      addRequest(request, options) {
        onRequest(request.getHeader('upgrade'), options.host);
        super.addRequest(request, options);
      }
    }

    const { client } = await talk(url, wss, { agent: new Agent() });

    expect(onRequest.mock.calls).toEqual([['websocket', '127.0.0.1']]);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('comes through a CONNECT proxy', async () => {
    const { wss, url, port } = await listen(pair);
    const proxy = await connectProxy();
    const agent = new TunnelAgent(proxy.port);
    const { client, request } = await talk(url, wss, { agent });

    expect(proxy.targets).toEqual([`127.0.0.1:${port}`]);
    expect(request.headers.host).toBe(`127.0.0.1:${port}`);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('comes through a CONNECT proxy to wss:', async () => {
    const { wss, url, port } = await listen({ ...pair, route: 'TLS' });
    const proxy = await connectProxy();

    class Agent extends https.Agent {
      createConnection(options, callback) {
        const tunnel = new TunnelAgent(proxy.port);

        tunnel.createConnection(options, (err, socket) => {
          if (err) callback(err);
          else callback(null, tls.connect({ ...options, socket }));
        });
      }
    }

    const { client } = await talk(url, wss, {
      agent: new Agent({ rejectUnauthorized: false })
    });

    expect(proxy.targets).toEqual([`127.0.0.1:${port}`]);
    expect(connectionOf(client)).toBe(named(ADOPTED));
    expect(client._socket).toBeInstanceOf(tls.TLSSocket);
  });

  test('is refused by a proxy that refuses', async () => {
    const { url } = await listen(pair);
    const proxy = trackServer(http.createServer());

    proxy.on('connect', (request, socket) => socket.destroy());
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');

    const client = trackWebSocket(
      new pair.WebSocket(url, {
        agent: new TunnelAgent(proxy.address().port)
      })
    );
    const err = await new Promise((resolve) => client.on('error', resolve));

    expect(err.code).toBe('ECONNRESET');
  });

  test('comes from createConnection', async () => {
    const { wss, url, port } = await listen(pair);
    const options = [];
    const { client } = await talk(url, wss, {
      createConnection: ({ host, port }) => {
        options.push({ host, port: Number(port) });
        return net.connect({ host, port });
      }
    });

    expect(options).toEqual([{ host: '127.0.0.1', port }]);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('comes connected from createConnection', async () => {
    const { wss, url, port } = await listen(pair);
    const socket = net.connect(port, '127.0.0.1');

    await once(socket, 'connect');

    const { client } = await talk(url, wss, { createConnection: () => socket });

    expect(client._socket).toBe(socket);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('may be a subclass of net.Socket', async () => {
    const { wss, url, port } = await listen(pair);
    const written = [];

    class Socket extends net.Socket {
      _writev(chunks, callback) {
        written.push(...chunks.map(({ chunk }) => chunk.length));
        super._writev(chunks, callback);
      }

      _write(chunk, encoding, callback) {
        written.push(chunk.length);
        super._write(chunk, encoding, callback);
      }
    }

    const { client } = await talk(url, wss, {
      createConnection: () => new Socket().connect(port, '127.0.0.1')
    });

    expect(written.reduce((sum, length) => sum + length)).toBeGreaterThan(3e5);
    expect(connectionOf(client)).toBe(named('StreamConnection'));
  });

  test('may be any Duplex over a socket', async () => {
    const { wss, url, port } = await listen(pair);
    let duplex;
    const { client } = await talk(url, wss, {
      createConnection() {
        const socket = net.connect({ port, host: '127.0.0.1' });

        duplex = Duplex.from({ readable: socket, writable: socket });
        return duplex;
      }
    });

    expect(client._socket).toBe(duplex);
    expect(connectionOf(client)).toBe(named('StreamConnection'));
  });

  test('may have its write() replaced', async () => {
    const { wss, url, port } = await listen(pair);
    let bytes = 0;
    const { client } = await talk(url, wss, {
      createConnection() {
        const socket = net.connect({ port, host: '127.0.0.1' });
        const { write } = socket;

        socket.write = function (chunk, ...args) {
          bytes += chunk.length;
          return write.call(this, chunk, ...args);
        };
        return socket;
      }
    });

    expect(bytes).toBeGreaterThan(300000);
    expect(connectionOf(client)).toBe(named('StreamConnection'));
  });

  test('leads to the address of lookup', async () => {
    const { wss, port } = await listen(pair);
    const names = [];
    const { client } = await talk(`ws://somewhere.example:${port}/`, wss, {
      lookup(hostname, options, callback) {
        names.push(hostname);
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      }
    });

    expect(names).toEqual(['somewhere.example']);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('is that of the last redirect', async () => {
    const { wss, url } = await listen(pair);
    const redirect = trackServer(http.createServer());

    redirect.on('upgrade', (request, socket) => {
      const location = request.url === '/permanent' ? '/temporary' : url;

      socket.end(
        `HTTP/1.1 302 Found\r\nLocation: ${location}\r\n` +
          'Content-Length: 0\r\nConnection: close\r\n\r\n'
      );
    });
    redirect.listen(0, '127.0.0.1');
    await once(redirect, 'listening');

    const { port } = redirect.address();
    const { client } = await talk(`ws://127.0.0.1:${port}/permanent`, wss, {
      followRedirects: true
    });

    expect(client.url).toBe(url);
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });

  test('is that of a request that finishRequest ends', async () => {
    const { wss, url } = await listen(pair);
    let websocket;
    const { client, request } = await talk(url, wss, {
      finishRequest(request, opening) {
        websocket = opening;
        request.setHeader('X-Late', 'header');
        setImmediate(() => request.end());
      }
    });

    expect(websocket).toBe(client);
    expect(request.headers['x-late']).toBe('header');
    expect(connectionOf(client)).toBe(named(ADOPTED));
  });
});
