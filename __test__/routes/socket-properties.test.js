'use strict';

const { once } = require('events');
const net = require('net');

const { describeRoutes, messages, allArrived } = require('./support/matrix');
const { routes } = require('./support/routes');

const served = routes.filter(({ name }) => !/HTTP\/2|Duplex/.test(name));
const inet = served.filter(({ name }) => !name.startsWith('unix'));

describeRoutes(
  'the socket of an open connection',
  (open) => {
    test('is the one of the request', async () => {
      const { server, client, request } = await open();

      expect(request.socket).toBe(server._socket);
      expect(request.connection).toBe(server._socket);
      expect(server._socket).toBe(server._socket);
      expect(client._socket).not.toBe(server._socket);
    });

    test('is open and has nothing to write', async () => {
      const { server, client } = await open();

      for (const { _socket: socket } of [server, client]) {
        expect({
          readable: socket.readable,
          writable: socket.writable,
          destroyed: socket.destroyed,
          closed: socket.closed,
          connecting: socket.connecting,
          pending: socket.pending,
          readyState: socket.readyState,
          readableEnded: socket.readableEnded,
          writableEnded: socket.writableEnded,
          writableFinished: socket.writableFinished,
          writableLength: socket.writableLength,
          writableNeedDrain: socket.writableNeedDrain,
          writableCorked: socket.writableCorked,
          readableLength: socket.readableLength,
          isPaused: socket.isPaused()
        }).toEqual({
          readable: true,
          writable: true,
          destroyed: false,
          closed: false,
          connecting: false,
          pending: false,
          readyState: 'open',
          readableEnded: false,
          writableEnded: false,
          writableFinished: false,
          writableLength: 0,
          writableNeedDrain: false,
          writableCorked: 0,
          readableLength: 0,
          isPaused: false
        });
      }
    });

    test('flows and has no timeout', async () => {
      const { server, client } = await open();

      for (const { _socket: socket } of [server, client]) {
        expect(socket.readableFlowing).toBe(true);
        expect(socket.timeout).toBe(0);
      }
    });

    test('is a net.Socket', async () => {
      const { server, client } = await open();

      for (const { _socket: socket } of [server, client]) {
        expect(socket).toBeInstanceOf(net.Socket);
      }
    });

    test('says the same as isPaused of the WebSocket', async () => {
      const { server, client } = await open();

      for (const websocket of [server, client]) {
        const states = [];

        websocket.pause();
        states.push(websocket._socket.isPaused());
        websocket.resume();
        states.push(websocket._socket.isPaused());
        expect(states).toEqual([true, false]);
      }
    });

    test('is closed at the end', async () => {
      const { server, client, closed } = await open();
      const sockets = [server._socket, client._socket];

      client.close();
      await closed;
      for (const socket of sockets) {
        if (!socket.closed) await once(socket, 'close');
        expect({
          readable: socket.readable,
          writable: socket.writable,
          destroyed: socket.destroyed,
          closed: socket.closed,
          readyState: socket.readyState,
          readableEnded: socket.readableEnded,
          writableEnded: socket.writableEnded,
          writableFinished: socket.writableFinished,
          writableLength: socket.writableLength,
          errored: socket.errored
        }).toEqual({
          readable: false,
          writable: false,
          destroyed: true,
          closed: true,
          readyState: 'closed',
          readableEnded: true,
          writableEnded: true,
          writableFinished: true,
          writableLength: 0,
          errored: null
        });
      }
      expect(server._socket).toBe(sockets[0]);
      expect(client._socket).toBe(sockets[1]);
    });

    test('may carry properties of the user', async () => {
      const { server, client, request } = await open();

      request.socket.user = { name: 'somebody' };
      client._socket.mark = 1;
      await allArrived(client, server);
      expect(server._socket.user).toEqual({ name: 'somebody' });
      expect(client._socket.mark).toBe(1);
    });
  },
  served
);

describeRoutes(
  'the addresses of a socket',
  (open) => {
    test('are those of the connection', async () => {
      const { server, client } = await open();
      const { _socket: near } = server;
      const { _socket: far } = client;
      const { port } = new URL(client.url);

      for (const socket of [near, far]) {
        expect(socket.remoteAddress).toBe('127.0.0.1');
        expect(socket.remoteFamily).toBe('IPv4');
        expect(socket.localAddress).toBe('127.0.0.1');
        expect(socket.localFamily).toBe('IPv4');
        expect(socket.address()).toEqual({
          address: '127.0.0.1',
          family: 'IPv4',
          port: socket.localPort
        });
      }
      expect(near.localPort).toBe(Number(port));
      expect(far.remotePort).toBe(Number(port));
      expect(near.remotePort).toBe(far.localPort);
    });

    test('stay when they were asked for, once it is closed', async () => {
      const { server, client, closed } = await open();
      const { _socket: asked } = server;
      const { _socket: unasked } = client;
      const before = [asked.remoteAddress, asked.remotePort];

      client.terminate();
      await closed;
      expect([asked.remoteAddress, asked.remotePort]).toEqual(before);
      expect(unasked.remoteAddress).toBe(undefined);
      expect(unasked.remotePort).toBe(undefined);
      expect(unasked.address()).toEqual({});
    });
  },
  inet
);

describeRoutes(
  'the addresses of a unix socket',
  (open) => {
    test('are none', async () => {
      const { server, client } = await open();

      for (const { _socket: socket } of [server, client]) {
        expect(socket.remoteAddress).toBe(undefined);
        expect(socket.remotePort).toBe(undefined);
        expect(socket.localAddress).toBe(undefined);
        expect(socket.address()).toEqual({});
      }
    });
  },
  served.filter(({ name }) => name.startsWith('unix'))
);

describeRoutes(
  'the counters of a socket',
  (open, route) => {
    test('count the bytes of the frames', async () => {
      const { server, client } = await open();
      const before = [server, client].map(({ _socket: socket }) => [
        socket.bytesRead,
        socket.bytesWritten
      ]);
      const arrival = messages(server, 2);

      client.send('12345');
      client.send(Buffer.alloc(1000));
      await arrival;
      await allArrived(server, client);

      const [near, far] = [server, client].map(({ _socket: socket }, index) => [
        socket.bytesRead - before[index][0],
        socket.bytesWritten - before[index][1]
      ]);
      const [sent, answered] = [2 + 4 + 5 + 4 + 4 + 1000, 2 + 7];

      // TLS counts its records, and those of the handshake that come later.
      if (route.name === 'TLS') {
        expect(near[0]).toBeGreaterThanOrEqual(sent);
        expect(far[1]).toBe(sent);
      } else {
        expect(near).toEqual([sent, answered]);
        expect(far).toEqual([answered, sent]);
      }
    });
  },
  served
);

describeRoutes(
  'the counters of a socket, without TLS',
  (open) => {
    test('count the handshake, and stay when the socket is closed', async () => {
      const { server, client, closed } = await open();
      const [near, far] = [server._socket, client._socket];

      await allArrived(server, client);
      // The shortest request and response there are have that many bytes.
      expect(near.bytesRead).toBeGreaterThan(140);
      expect(near.bytesWritten).toBeGreaterThan(120);
      expect(near.bytesRead).toBe(far.bytesWritten);
      expect(near.bytesWritten).toBe(far.bytesRead);

      const before = [near.bytesRead, near.bytesWritten];

      client.close(1000);
      await closed;
      expect([near.bytesRead, near.bytesWritten]).toEqual([
        before[0] + 2 + 4 + 2,
        before[1] + 2 + 2
      ]);
      expect(far.bytesWritten).toBe(near.bytesRead);
      expect(far.bytesRead).toBe(near.bytesWritten);
    });
  },
  served.filter(({ name }) => name !== 'TLS')
);
