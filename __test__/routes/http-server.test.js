'use strict';

const { once } = require('events');
const http = require('http');
const net = require('net');

const { describeEach, implementations } = require('../support/implementations');
const {
  trackSocket,
  trackWebSocket,
  trackWebSocketServer
} = require('../support/resources');
const { routes } = require('../support/routes');
const { clientOptions, kinds, listen } = require('./support/http-servers');
const { allArrived, turns } = require('./support/matrix');

const rows = implementations.flatMap(({ name, ...row }) =>
  kinds.map((kind) => ({ name: `${name}, ${kind.name}`, ...row, kind }))
);

describeEach(rows, 'the http server below', ({ lib, kind }) => {
  /** A server, and `join()`, which connects a client to it. */
  async function serve(options, wssOptions) {
    const { server, port, url } = await listen(kind, options);
    const wss = trackWebSocketServer(
      new lib.WebSocketServer({ server, ...wssOptions })
    );

    return {
      server,
      wss,
      port,
      async join() {
        const connected = once(wss, 'connection');
        const client = trackWebSocket(new lib.WebSocket(url, clientOptions));
        const [[websocket, request]] = await Promise.all([
          connected,
          once(client, 'open')
        ]);

        return { websocket, request, client };
      }
    };
  }

  function countConnections(server) {
    return new Promise((resolve, reject) => {
      server.getConnections((err, count) => {
        if (err) reject(err);
        else resolve(count);
      });
    });
  }

  test('counts the connections that were upgraded', async () => {
    const { server, join } = await serve();
    const connections = [await join(), await join(), await join()];

    expect(await countConnections(server)).toBe(3);

    const [{ websocket, request, client }] = connections;
    const gone = once(request.socket, 'close');

    client.close();
    await gone;
    expect(await countConnections(server)).toBe(2);
    expect(websocket.readyState).toBe(3);
    for (const { request: other, websocket } of connections.slice(1)) {
      const gone = once(other.socket, 'close');

      websocket.terminate();
      await gone;
    }
    expect(await countConnections(server)).toBe(0);
  });

  test('waits in close() for them, and does not close them', async () => {
    const { server, join } = await serve();
    const { websocket, client } = await join();
    const onClose = jest.fn();
    const closed = new Promise((resolve) => {
      server.close((err) => {
        onClose();
        resolve(err);
      });
    });

    await turns();
    await allArrived(client, websocket);
    await allArrived(websocket, client);
    expect(onClose).not.toHaveBeenCalled();
    expect(server.listening).toBe(false);
    client.close(1000);
    expect(await closed).toBe(undefined);
    expect(websocket.readyState).not.toBe(1);
  });

  test('leaves them alone in closeAllConnections()', async () => {
    const { server, join } = await serve();
    const { websocket, client } = await join();

    server.closeIdleConnections();
    server.closeAllConnections();
    await allArrived(client, websocket);
    await allArrived(websocket, client);
    expect(client.readyState).toBe(1);
  });

  test('answers plain requests beside them', async () => {
    const { server, port, join } = await serve();
    const { websocket, client } = await join();

    server.on('request', (request, response) => response.end('plain'));

    const { get } = kind.scheme === 'ws' ? http : require('https');
    const request = get({
      port,
      host: '127.0.0.1',
      agent: false,
      rejectUnauthorized: false
    });
    const [response] = await once(request, 'response');

    response.setEncoding('utf8');
    expect(response.statusCode).toBe(200);
    expect((await once(response, 'data'))[0]).toBe('plain');
    await allArrived(client, websocket);
  });

  test('does not time them out as idle sockets', async () => {
    const { server, port, join } = await serve();

    server.setTimeout(50);

    const { websocket, client } = await join();

    // A socket that has been idle for a shorter time than ours.
    await idleConnection(port);
    await allArrived(client, websocket);
    await allArrived(websocket, client);
    expect(client.readyState).toBe(1);
  });

  test('does not look for their next request', async () => {
    const { port, join } = await serve({
      connectionsCheckingInterval: 10,
      headersTimeout: 30,
      requestTimeout: 40,
      keepAliveTimeout: 20
    });
    const { websocket, client } = await join();

    await idleConnection(port);
    await allArrived(client, websocket);
    await allArrived(websocket, client);
    expect(client.readyState).toBe(1);
  });

  test('has no more to do with their sockets', async () => {
    const { server, join } = await serve();
    const onClientError = jest.fn();

    server.on('clientError', onClientError);

    const { websocket, request, client } = await join();

    expect(request.socket.server).toBe(server);
    expect(request.socket.parser).toBe(null);
    expect(request.complete).toBe(true);
    client._socket.write('no frame at all\r\n\r\n');
    await new Promise((resolve) => websocket.on('error', resolve));
    expect(onClientError).not.toHaveBeenCalled();
  });

  test('may have maxConnections', async () => {
    const { server, port, join } = await serve();

    server.maxConnections = 1;

    const { websocket, client } = await join();
    const dropped = once(server, 'drop');
    const socket = trackSocket(net.connect(port, '127.0.0.1'));

    socket.on('error', () => {});
    await dropped;
    await allArrived(client, websocket);

    const gone = once(websocket._socket, 'close');

    client.terminate();
    await gone;
    await join();
  });

  test('loses its listeners when the WebSocketServer is closed', async () => {
    const { server, wss, join } = await serve();
    const { websocket, client } = await join();
    const onClose = jest.fn();

    expect(server.listenerCount('upgrade')).toBe(1);
    wss.close(onClose);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(server.listening).toBe(true);
    await allArrived(client, websocket);
    expect(onClose).not.toHaveBeenCalled();

    const closed = once(wss, 'close');

    client.close();
    await closed;
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  /** Settles when the server has ended a socket that sends no request. */
  async function idleConnection(port) {
    const socket = trackSocket(routes[kind.route].connect(port));

    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'end');
  }
});
