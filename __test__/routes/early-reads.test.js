'use strict';

const { once } = require('events');

const { listen } = require('../support/connection');
const {
  describeEach,
  routedImplementations
} = require('../support/implementations');
const { untilCount } = require('../support/own-port');
const { rawSocket, upgradeRequest } = require('../support/raw');
const { until } = require('../support/waiting');
const { frame, KEY, OPCODE } = require('../support/wire');

const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

/** An upgrade without a key. */
const INVALID = upgradeRequest().replace(/Sec-WebSocket-Key.*\r\n/, '');

/** The events of a socket from here on. */
function watch(socket) {
  const events = [];

  for (const event of ['end', 'finish', 'close'])
    socket.on(event, () => events.push(event));
  socket.on('error', (err) => events.push(err.code));
  return events;
}

function text(payload) {
  return frame({ opcode: OPCODE.text, payload, key: KEY });
}

describeEach(
  routedImplementations,
  'a socket before it is a WebSocket',
  ({ lib, route }) => {
    /** A client whose request is none, and the socket that the server has. */
    async function invalid() {
      const { wss, port } = await listen({ ...lib, route });
      const refused = once(wss, 'wsClientError');
      const peer = await rawSocket(port, route);

      peer.staysOpen = true;
      peer.write(INVALID);

      const [, socket] = await refused;

      return { server: wss._server, peer, socket };
    }

    /** A server whose `verifyClient` waits for the test, and its client. */
    async function verifying(bytes = '') {
      let onVerify;
      const verified = new Promise((resolve) => (onVerify = resolve));
      const { wss, port } = await listen(
        { ...lib, route },
        {
          verifyClient: ({ req }, accept) =>
            onVerify({ accept, socket: req.socket })
        }
      );
      const peer = await rawSocket(port, route);

      peer.write(upgradeRequest(), bytes);
      return { wss, peer, ...(await verified) };
    }

    test('hears the end of who was refused, after what came', async () => {
      const { server, peer, socket } = await invalid();
      const events = watch(socket);
      const closed = once(socket, 'close');

      socket.resume();
      socket.end(BAD_REQUEST);
      await peer.head();
      peer.write('zzz');
      peer.socket.end();
      await closed;
      expect(events).toEqual(['finish', 'end', 'close']);
      await untilCount(server, 0);
    });

    test('hears the end of who was refused, after its own', async () => {
      const { peer, socket } = await invalid();
      const events = watch(socket);
      const closed = once(socket, 'close');

      socket.end(BAD_REQUEST);
      await peer.head();
      peer.socket.end();
      await closed;
      expect(events).toEqual(['finish', 'end', 'close']);
    });

    test('has what comes of who was refused', async () => {
      const { server, peer, socket } = await invalid();
      const data = once(socket, 'data');

      socket.on('end', () => socket.end());
      peer.write('zzz');
      expect(String(await data)).toBe('zzz');
      peer.socket.end();
      await once(socket, 'close');
      await untilCount(server, 0);
    });

    test('has what comes while a client is verified', async () => {
      const { wss, peer, accept, socket } = await verifying(text('along'));
      const messages = [];
      const chunk = once(socket, 'data');
      const connected = once(wss, 'connection');

      peer.write('zzz');
      expect(String(await chunk)).toBe('zzz');
      accept(true);

      const [websocket] = await connected;
      const received = new Promise((resolve) => {
        websocket.on('message', (data) => {
          messages.push(String(data));
          if (messages.length === 2) resolve();
        });
      });

      peer.write(text('later'));
      await received;
      expect(messages).toEqual(['along', 'later']);
    });

    if (route === 'TLS') return;

    test('hears of a reset some time after what came', async () => {
      const { wss, peer, accept, socket } = await verifying();
      const onConnection = jest.fn();
      const { bytesRead } = socket;
      const events = watch(socket);
      const closed = new Promise((resolve) => socket.on('close', resolve));

      wss.on('connection', onConnection);
      peer.write('z');
      await until(() => socket.bytesRead > bytesRead);
      peer.socket.resetAndDestroy();
      await closed;
      expect(events).toEqual(['ECONNRESET', 'close']);
      accept(true);
      expect(onConnection).not.toHaveBeenCalled();
    });
  }
);
