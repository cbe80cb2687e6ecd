'use strict';

const { once } = require('events');

const { linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { serverOf } = require('../support/mailbox');
const { rawSocket } = require('../support/raw');
const { KEY, frame, upgradeRequest } = require('../support/wire');

const MESSAGE = frame({ opcode: 2, key: KEY, payload: Buffer.alloc(1000) });

/** What the peer does once nobody cares for it. */
const acts = {
  'sends and ends': (peer) => {
    peer.write(MESSAGE);
    peer.socket.end();
  },
  // More than Node.js reads.
  'sends on and on': (peer) => peer.write(...Array(2000).fill(MESSAGE))
};

/**
 * A server that waits for no other request once one has come. It says its port to
 * `mailbox`, and ends what it says when it leaves the request alone, as `neglect` says.
 */
function serve(WebSocket, mailbox, route, neglect) {
  const net = require('net');

  globalThis.afterEach = () => {};

  const { routes } = require('./__test__/support/routes');
  const server = routes[route].createServer();
  const mail = net.connect(mailbox, '127.0.0.1');
  let answer = () => {};

  const leave = () => {
    (server ?? wss._server).unref();
    mail.end();
  };
  const wss = new WebSocket.Server({
    ...(server === null ? { port: 0, host: '127.0.0.1' } : { server }),
    verifyClient:
      neglect === 'error'
        ? undefined
        : (info, callback) => {
            answer = callback;
            leave();
          }
  });

  wss.on('listening', () => mail.write(String(wss.address().port)));
  if (server !== null) server.listen(0, '127.0.0.1');
  if (neglect === 'error') wss.on('wsClientError', leave);
  wss.on('connection', (websocket) => {
    websocket.on('message', (data) => {
      console.log(`message ${data.length}`);
    });
    websocket.on('close', (code) => console.log(`close ${code}`));
  });
  // Comes when nothing keeps the process alive.
  process.once('beforeExit', () => {
    console.log('idle');
    if (neglect === 'late') answer(true);
  });
}

/** What a server prints of such a peer. */
async function neglected(driver, route, neglect, act) {
  const { lines, mail, port } = await serverOf((mailbox) =>
    linesOf(driver, serve, { args: [mailbox, route, neglect] })
  );
  const peer = await rawSocket(port);
  const headers = { 'Sec-WebSocket-Key': undefined };

  peer.write(upgradeRequest(neglect === 'error' ? { headers } : {}));
  mail.resume();
  await once(mail, 'end');
  act(peer);

  return lines;
}

describeEach(wsAndDrivers, 'a request that is left alone', (driver) => {
  describe.each(['native', 'adopted'])('on the route: %s', (route) => {
    describe.each(Object.keys(acts))('whose peer %s', (name) => {
      test.each([
        ["by the listener of 'wsClientError'", 'error'],
        ['by verifyClient()', 'never']
      ])('does not keep the process alive: %s', async (_, neglect) => {
        expect(await neglected(driver, route, neglect, acts[name])).toEqual([
          'idle'
        ]);
      });
    });

    test('is answered late', async () => {
      const act = acts['sends and ends'];

      expect(await neglected(driver, route, 'late', act)).toEqual([
        'idle',
        'message 1000',
        'close 1006'
      ]);
    });
  });
});
