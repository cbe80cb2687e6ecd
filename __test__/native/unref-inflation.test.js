'use strict';

const zlib = require('zlib');

const { linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach } = require('../support/implementations');
const { serverOf } = require('../support/mailbox');
const { rawClient, rawServer, switchingProtocols } = require('../support/raw');
const { routes } = require('../support/routes');
const { KEY, OPCODE, closePayload, frame } = require('../support/wire');

/** It takes some time to inflate, and is soon read. */
const LENGTH = 64e6;
const DEFLATED = zlib
  .deflateRawSync(Buffer.alloc(LENGTH), {
    finishFlush: zlib.constants.Z_SYNC_FLUSH
  })
  .subarray(0, -4);

const EXTENSION = 'Sec-WebSocket-Extensions';

const message = { opcode: OPCODE.binary, rsv: 4, payload: DEFLATED };
const ping = { opcode: OPCODE.ping, payload: 'ping' };
const close = { opcode: OPCODE.close, payload: closePayload(4000) };

const acts = [
  ['a message', [message], ['message']],
  ['a message and a ping', [message, ping], ['message', 'ping']],
  ['a message and a close frame', [message, close], ['message', 'closed: 4000']]
];

/**
 * A program with one WebSocket that it releases, of which nothing else is left once
 * so many bytes are read after the first message. As a server it says its port to
 * `mailbox`, as a client it connects to `url`.
 */
function main(WebSocket, { route, mailbox, url, length }) {
  const net = require('net');

  globalThis.afterEach = () => {};

  const { routes } = require('./__test__/support/routes');
  const run = (websocket) => {
    websocket.on('ping', (data) => console.log(String(data)));
    websocket.on('close', (code) => console.log(`closed: ${code}`));
    websocket.once('message', () => {
      const { _socket: socket } = websocket;
      const begin = socket.bytesRead;

      websocket.on('message', () => console.log('message'));
      socket.unref();
      websocket.send('begin');

      const timer = setInterval(() => {
        if (!socket.destroyed && socket.bytesRead < begin + length) return;
        clearInterval(timer);
      }, 10);
    });
  };

  if (url !== undefined) {
    run(new WebSocket(url, routes[route].clientOptions()));
    return;
  }

  const server = routes[route].createServer();
  const wss = new WebSocket.Server({
    ...(server === null ? { port: 0, host: '127.0.0.1' } : { server }),
    perMessageDeflate: true
  });

  wss.on('listening', () => {
    net.connect(mailbox, '127.0.0.1').end(String(wss.address().port));
  });
  wss.on('connection', (websocket) => {
    run(websocket);
    wss.close();
    if (server !== null) server.close();
  });
  if (server !== null) server.listen(0, '127.0.0.1');
}

/** A server that `run` runs, and a raw client of it. */
async function openServer(route, run) {
  const { lines, port } = await serverOf((mailbox) => run({ mailbox }));
  const headers = { [EXTENSION]: 'permessage-deflate' };

  return { lines, peer: await rawClient(port, { route, headers }) };
}

/** A client that `run` runs, and a raw server of it. */
async function openClient(route, run) {
  let onPeer;
  const accepted = new Promise((resolve) => (onPeer = resolve));
  const { url } = await rawServer((peer, head) => {
    peer.write(switchingProtocols(head, [`${EXTENSION}: permessage-deflate`]));
    onPeer(peer);
  }, route);
  const lines = run({ url });

  return { lines, peer: await accepted };
}

const ends = {
  server: { key: KEY, open: openServer },
  client: { key: undefined, open: openClient }
};

describeEach(
  wsAndDrivers,
  'a socket that is released with unref()',
  (driver) => {
    describe.each(Object.keys(ends))('of a %s', (end) => {
      describe.each(Object.keys(routes))('on the route: %s', (route) => {
        test.each(acts)(
          'has its process tell what it has read: %s',
          async (name, fields, told) => {
            const { key, open } = ends[end];
            const bytes = Buffer.concat(
              fields.map((each) => frame({ ...each, key }))
            );
            const { lines, peer } = await open(route, (place) =>
              linesOf(driver, main, {
                args: [{ route, length: bytes.length, ...place }]
              })
            );

            peer.write(frame({ opcode: OPCODE.text, payload: 'go', key }));
            await peer.frame();
            peer.write(bytes);
            // What answers, if anything does.
            if ((await peer.frame())?.opcode === OPCODE.close) {
              peer.socket.end();
            }
            expect(await lines).toEqual(told);
          }
        );
      });
    });
  }
);
