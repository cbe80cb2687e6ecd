'use strict';

const { once } = require('events');

const { dial, listen } = require('../support/connection');
const { linesOf, wsAndDrivers } = require('../support/drivers');
const { describeEach, ws } = require('../support/implementations');
const { serverOf } = require('../support/mailbox');
const { routes } = require('../support/routes');

/** More than the kernel takes of a connection, in messages of this length. */
const MESSAGES = 20;
const LENGTH = 1e6;

const acts = [
  'send, unref',
  'unref, cork, send, uncork',
  'pause, send, end, unref',
  'unref, compress'
];

/**
 * A program with one WebSocket, of which nothing else is left. As a server it
 * says its port to `mailbox`, as a client it connects to `url`.
 */
function main(WebSocket, { route, act, mailbox, url, messages, length }) {
  const crypto = require('crypto');
  const net = require('net');

  globalThis.afterEach = () => {};

  const { routes } = require('./__test__/support/routes');
  const perMessageDeflate = act.includes('compress');
  const data = crypto.randomBytes(length);
  const send = (websocket) => {
    for (let index = 1; index < messages; index++) websocket.send(data);
    websocket.send(data, (err) => console.log(err ? err.message : 'sent'));
  };
  const steps = {
    send,
    compress: send,
    pause: (websocket) => websocket.pause(),
    unref: ({ _socket: socket }) => socket.unref(),
    cork: ({ _socket: socket }) => socket.cork(),
    uncork: ({ _socket: socket }) => socket.uncork(),
    end: ({ _socket: socket }) => socket.end()
  };
  const run = (websocket) => {
    for (const step of act.split(', ')) steps[step](websocket);
  };

  if (url !== undefined) {
    const client = new WebSocket(url, {
      ...routes[route].clientOptions(),
      perMessageDeflate
    });

    client.on('open', () => run(client));
    return;
  }

  const server = routes[route].createServer();
  const wss = new WebSocket.Server({
    ...(server === null ? { port: 0, host: '127.0.0.1' } : { server }),
    perMessageDeflate
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

/** Of the WebSocket that speaks to the program: what has come when it is closed. */
async function lengthsOf(websocket) {
  const lengths = [];

  websocket.on('message', (data) => lengths.push(data.length));
  await once(websocket, 'close');
  return lengths;
}

const ends = {
  server: async (route, run) => {
    const { lines, port } = await serverOf((mailbox) => run({ mailbox }));
    const url = `${routes[route].scheme}://127.0.0.1:${port}`;

    return [await lengthsOf(dial({ ...ws, route }, url)), await lines];
  },
  client: async (route, run) => {
    const options = { perMessageDeflate: true };
    const { wss, url } = await listen({ ...ws, route }, options);
    const lines = run({ url });
    const [websocket] = await once(wss, 'connection');

    return [await lengthsOf(websocket), await lines];
  }
};

describeEach(
  wsAndDrivers,
  'a socket that is released with unref()',
  (driver) => {
    describe.each(Object.keys(ends))('of a %s', (end) => {
      describe.each(Object.keys(routes))('on the route: %s', (route) => {
        test.each(acts)('has its process write all first: %s', async (act) => {
          const [lengths, lines] = await ends[end](route, (place) =>
            linesOf(driver, main, {
              args: [
                { route, act, messages: MESSAGES, length: LENGTH, ...place }
              ]
            })
          );

          expect(lengths).toEqual(Array(MESSAGES).fill(LENGTH));
          expect(lines).toEqual(['sent']);
        });
      });
    });
  }
);
