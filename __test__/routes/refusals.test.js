'use strict';

const { once } = require('events');
const http = require('http');
const https = require('https');

const { implementations } = require('../support/implementations');
const { rawSocket, upgradeRequest } = require('../support/raw');
const { trackServer, trackWebSocketServer } = require('../support/resources');
const { certificate, key } = require('../support/routes');
const { frame, KEY, OPCODE } = require('../support/wire');
const { turns } = require('./support/matrix');

const FORBIDDEN =
  'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** Ways to have done with a socket. */
const acts = [
  { act: 'answers and ends', perform: (socket) => socket.end(FORBIDDEN) },
  { act: 'ends', perform: (socket) => socket.end() },
  { act: 'destroys', perform: (socket) => socket.destroy() },
  { act: 'fails', perform: (socket) => socket.destroy(new Error('no')) }
];

/**
 * Moments of a handshake in which somebody does so, though the handshake goes
 * on. Behind some of them there is a WebSocket all the same, which closes.
 */
const moments = [
  {
    moment: "the server's 'connection'",
    isBare: true,
    hook: ({ server }, act) => server.on('connection', act)
  },
  {
    moment: 'shouldHandle()',
    hook: ({ wss }, act) => {
      wss.shouldHandle = ({ socket }) => {
        act(socket);
        return true;
      };
    }
  },
  {
    moment: 'verifyClient()',
    options: (act) => ({
      verifyClient: ({ req }) => {
        act(req.socket);
        return true;
      }
    })
  },
  {
    moment: 'verifyClient() with a callback',
    options: (act) => ({
      verifyClient: ({ req }, callback) => {
        act(req.socket);
        callback(true);
      }
    })
  },
  {
    moment: 'verifyClient() that takes its time',
    options: (act) => ({
      verifyClient: ({ req }, callback) => {
        act(req.socket);
        setImmediate(callback, true);
      }
    })
  },
  {
    moment: 'verifyClient() that has said no',
    isRefused: true,
    options: () => ({
      verifyClient: (info, callback) => {
        callback(false, 403);
        callback(true);
      }
    })
  },
  {
    moment: 'handleProtocols()',
    isLate: true,
    options: (act) => ({
      handleProtocols: (protocols, { socket }) => {
        act(socket);
        return 'chat';
      }
    })
  },
  {
    moment: "'headers'",
    isLate: true,
    hook: ({ wss }, act) => {
      wss.on('headers', (lines, { socket }) => act(socket));
    }
  }
];

const kinds = [
  { kind: 'a server', create: () => null },
  {
    kind: 'a server, a head for Node',
    create: () => null,
    headers: { 'Content-Length': '0' }
  },
  { kind: 'an http.Server', create: () => http.createServer() },
  {
    kind: 'an https.Server',
    create: () => https.createServer({ key, cert: certificate }),
    route: 'TLS'
  }
];

const rows = implementations.flatMap(({ name, lib }) =>
  kinds.flatMap((kind) =>
    moments
      // Below TLS there is no answering.
      .filter(({ isBare }) => !(isBare && kind.route === 'TLS'))
      .map((moment) => ({ ...kind, ...moment, name, lib }))
  )
);

/** A listening server on which `act` is performed in the moment of the row. */
async function serve({ create, hook, lib, options = () => ({}) }, act) {
  const httpServer = create();
  const place =
    httpServer === null
      ? { port: 0, host: '127.0.0.1' }
      : { server: trackServer(httpServer) };
  const wss = trackWebSocketServer(
    new lib.WebSocketServer({ ...place, ...options(act) })
  );
  const server = wss._server;

  if (hook) hook({ server, wss }, act);
  if (httpServer !== null) httpServer.listen(0, '127.0.0.1');
  await once(wss, 'listening');

  return { wss, port: wss.address().port };
}

describe.each(rows)(
  'a socket that is done with in $moment ($name, $kind)',
  (row) => {
    const { headers, isLate, isRefused, route } = row;

    test.each(acts)('$act: nobody is let in', async ({ act, perform }) => {
      const { wss, port } = await serve(row, perform);
      const events = [];
      const closed = new Promise((resolve) => {
        wss.on('connection', (websocket) => {
          events.push('connection');
          websocket.on('message', (data) => events.push(String(data)));
          websocket.on('close', (code) => resolve(events.push(code)));
        });
      });
      const peer = await rawSocket(port, route);

      peer.write(
        upgradeRequest({
          headers: { ...headers, 'Sec-WebSocket-Protocol': 'chat' }
        }),
        frame({ opcode: OPCODE.text, payload: 'hi', key: KEY })
      );
      await (isLate ? closed : peer.closed);
      await turns();
      expect(events).toEqual(isLate ? ['connection', 1006] : []);
      expect(wss.clients.size).toBe(0);

      const answer = String(await peer.rest());

      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(
        act.startsWith('answers') || isRefused ? ['HTTP/1.1 403'] : null
      );
    });
  }
);
