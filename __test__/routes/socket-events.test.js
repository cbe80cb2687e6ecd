'use strict';

const { once } = require('events');

const {
  describeRoutes,
  messages,
  allArrived,
  turns
} = require('./support/matrix');
const { routes } = require('./support/routes');

const served = routes.filter(({ name }) => !/HTTP\/2|Duplex/.test(name));
const tcp = served.filter(({ isNet, name }) => isNet && !/unix/.test(name));

/** Writes down how a WebSocket and its socket end. */
function recordEnds(websocket) {
  const { _socket: socket } = websocket;
  const lines = [];

  socket.on('end', () => lines.push('socket end'));
  socket.on('finish', () => lines.push('socket finish'));
  socket.on('error', (err) => lines.push(`socket error ${err.code}`));
  socket.on('close', (hadError) => lines.push(`socket close ${hadError}`));
  websocket.on('error', (err) => lines.push(`error ${err.message}`));
  websocket.on('close', (code) => lines.push(`close ${code}`));
  return lines;
}

/** Settles when the WebSocket and its socket are closed. */
function ended(websocket) {
  return Promise.all(
    [websocket, websocket._socket].map(
      (emitter) => new Promise((resolve) => emitter.on('close', resolve))
    )
  );
}

const ENDED = ['socket end', 'socket finish'];

const sides = [
  ['server', 'client'],
  ['client', 'server']
];

describeRoutes(
  'the events of a socket',
  (open) => {
    describe.each(sides)('of the %s', (first, second) => {
      /** What both sides say when `end(websocket)` has ended the first. */
      async function endsOf(end) {
        const connection = await open();
        const { [first]: near, [second]: far } = connection;
        const lines = [near, far].map(recordEnds);
        const finished = Promise.all([near, far].map(ended));

        end(near);
        await finished;
        return lines;
      }

      test('that begins the closing handshake', async () => {
        for (const lines of await endsOf((near) => near.close(1000))) {
          expect(lines.slice(0, 2).sort()).toEqual(ENDED);
          expect(lines.slice(2)).toEqual(['close 1000', 'socket close false']);
        }
      });

      test('that is terminated', async () => {
        const [near, far] = await endsOf((near) => near.terminate());

        expect(near).toEqual(['socket close false', 'close 1006']);
        expect(far.slice(0, 2).sort()).toEqual(ENDED);
        expect(far.slice(2)).toEqual(['close 1006', 'socket close false']);
      });

      test('that ends', async () => {
        for (const lines of await endsOf((near) => near._socket.end())) {
          expect(lines.slice(0, -2).sort()).toEqual(ENDED);
          expect(lines.slice(-2)).toEqual(['close 1006', 'socket close false']);
        }
      });

      test('that is destroyed with an error', async () => {
        const err = Object.assign(new Error('mine'), { code: 'MINE' });
        const [near, far] = await endsOf(({ _socket: socket }) => {
          expect(socket.destroy(err)).toBe(socket);
          expect(socket.destroyed).toBe(true);
          expect(socket.errored).toBe(err);
        });

        expect(near).toEqual([
          'socket error MINE',
          'socket close true',
          'close 1006'
        ]);
        expect(far.slice(2)).toEqual(['close 1006', 'socket close false']);
      });
    });

    test('destroy() in a listener ends the connection', async () => {
      const { server, client, closed, events } = await open();

      server.on('message', () => server._socket.destroy());
      client.send('destroy');
      await closed;
      expect(events.server).toEqual([
        '1 message text Buffer(7) destroy',
        '3 close 1006 Buffer(0) '
      ]);
    });

    describe.each(sides)('of the %s', (first, second) => {
      test.each(['close', 'terminate'])(
        'come to none that listens once %s() has ended it',
        async (method) => {
          for (const ending of [first, second]) {
            const { [first]: websocket, [ending]: near } = await open();
            const late = [];

            websocket.on('error', () => {});

            const closed = new Promise((resolve) => {
              websocket.on('close', () => {
                for (const event of ['data', 'end', 'finish', 'close']) {
                  websocket._socket.on(event, () => late.push(event));
                }
                resolve();
              });
            });

            near[method]();
            await closed;
            await turns(3);
            expect(late).toEqual([]);
            expect(websocket._socket.closed).toBe(true);
          }
        }
      );
    });

    test("'close' comes when a client goes away", async () => {
      const { server, client, request } = await open();
      const gone = once(request.socket, 'close');

      client.terminate();
      await gone;
      expect(request.socket.destroyed).toBe(true);
      expect(server._socket).toBe(request.socket);
    });

    test("'timeout' comes when nothing happens", async () => {
      const { server, client } = await open();
      const { _socket: socket } = server;
      const timedOut = once(socket, 'timeout');

      expect(socket.setTimeout(20)).toBe(socket);
      expect(socket.timeout).toBe(20);
      await timedOut;
      socket.setTimeout(0);
      await allArrived(client, server);
      expect(server.readyState).toBe(1);
    });

    test("'timeout' has its callback", async () => {
      const { server, client } = await open();

      await new Promise((resolve) => client._socket.setTimeout(20, resolve));
      client._socket.setTimeout(0);
      await allArrived(server, client);
    });

    test('end() with the last bytes ends this side', async () => {
      const { server, client, closed, events } = await open();

      server.send('last');
      server._socket.end();
      await closed;
      expect(events.client).toEqual([
        '1 message text Buffer(4) last',
        '3 close 1006 Buffer(0) '
      ]);
      expect(client.readyState).toBe(3);
    });
  },
  served
);

describeRoutes(
  'RST',
  (open) => {
    test.each(sides)('of the %s is an error of the other', async (...names) => {
      const connection = await open();
      const [near, far] = names.map((name) => connection[name]);
      const lines = [near, far].map(recordEnds);
      const finished = Promise.all([near, far].map(ended));

      expect(near._socket.resetAndDestroy()).toBe(near._socket);
      await finished;
      expect(lines).toEqual([
        ['socket close false', 'close 1006'],
        ['socket error ECONNRESET', 'socket close true', 'close 1006']
      ]);
    });

    test('has the fields of an error of Node', async () => {
      const { server, client, closed } = await open();
      const failed = new Promise((resolve) =>
        server._socket.on('error', resolve)
      );

      client._socket.resetAndDestroy();

      const { name, code, errno, syscall, message } = await failed;

      expect({ name, code, errno, syscall, message }).toEqual({
        name: 'Error',
        code: 'ECONNRESET',
        errno: -104,
        syscall: 'read',
        message: 'read ECONNRESET'
      });
      await closed;
    });
  },
  tcp
);

describeRoutes(
  'settings of a socket',
  (open) => {
    test('may be changed and give the socket back', async () => {
      const { server, client, closed } = await open();

      for (const { _socket: socket } of [server, client]) {
        expect(socket.setNoDelay(false)).toBe(socket);
        expect(socket.setNoDelay()).toBe(socket);
        expect(socket.setKeepAlive(true, 1000)).toBe(socket);
        expect(socket.setKeepAlive(false)).toBe(socket);
        expect(socket.ref()).toBe(socket);
        expect(socket.unref()).toBe(socket);
        expect(socket.ref()).toBe(socket);
      }
      await allArrived(client, server);
      client.terminate();
      await closed;
      for (const { _socket: socket } of [server, client]) {
        expect(socket.setNoDelay()).toBe(socket);
        expect(socket.setKeepAlive(true)).toBe(socket);
        expect(socket.setTimeout(0)).toBe(socket);
        expect(socket.ref()).toBe(socket);
        expect(socket.unref()).toBe(socket);
      }
    });
  },
  served
);

describeRoutes(
  'a socket that the user pauses',
  (open) => {
    test('holds messages back until it is resumed', async () => {
      const { server, client, events } = await open();
      const arrival = messages(server, 2);

      server._socket.pause();
      expect(server.isPaused).toBe(false);
      expect(server._socket.isPaused()).toBe(true);
      client.send('1');
      client.send('2');
      await turns();
      expect(events.server).toEqual([]);
      server._socket.resume();
      await arrival;
      expect(server._socket.isPaused()).toBe(false);
    });
  },
  served
);
