'use strict';

// The server that the cases are run against: it answers each message with
// itself, prints its URL and lives as long as its input is open.
// `node echo-server.js '{ "library": …, "route": …, "options": { … } }'`

const http = require('http');
const http2 = require('http2');
const path = require('path');
const { Duplex } = require('stream');

const { bridgeToServer, maxSessionMemory } = require('./http2-bridges');

const { library, route, options } = JSON.parse(process.argv[2]);
const { WebSocketServer } = require(library);
const HOST = '127.0.0.1';

/** A listening server and who emits its connections, for each route. */
const servers = {
  native() {
    const wss = new WebSocketServer({ port: 0, host: HOST, ...options });

    return { server: wss, wss };
  },

  adopted() {
    const server = http.createServer().listen(0, HOST);

    return { server, wss: new WebSocketServer({ server, ...options }) };
  },

  stream() {
    const server = http.createServer().listen(0, HOST);
    const wss = new WebSocketServer({ noServer: true, ...options });

    server.on('upgrade', (request, socket, head) => {
      const duplex = Duplex.from({ readable: socket, writable: socket });

      wss.handleUpgrade(request, duplex, head, (websocket) =>
        wss.emit('connection', websocket, request)
      );
    });
    return { server, wss };
  },

  http2() {
    const server = http2.createServer({ maxSessionMemory });
    const wss = new WebSocketServer({ noServer: true, ...options });

    require(path.join(library, 'lib/extra')).serveHttp2(wss, server);
    server.listen(0, HOST);
    return { server: bridgeToServer(server), wss };
  }
};

const { server, wss } = servers[route]();

server.on('listening', () => {
  console.log(`ws://${HOST}:${server.address().port}`);
});
wss.on('connection', (websocket) => {
  websocket.on('error', () => {});
  websocket.on('message', (data, isBinary) => {
    websocket.send(data, { binary: isBinary });
  });
});
process.stdin.on('close', () => process.exit()).resume();
