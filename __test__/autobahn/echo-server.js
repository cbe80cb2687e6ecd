'use strict';

// The server that the cases are run against: it answers each message with
// itself, prints its URL and lives as long as its input is open.
// `node echo-server.js '{ "library": …, "route": …, "options": { … } }'`

const http = require('http');
const http2 = require('http2');
const path = require('path');
const { Duplex } = require('stream');

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
    const server = http2.createServer();
    const wss = new WebSocketServer({ noServer: true, ...options });

    require(path.join(library, 'lib/extra')).serveHttp2(wss, server);
    server.listen(0, HOST);
    return { server: bridgeTo(server), wss };
  }
};

/** A server of HTTP/1.1 in front of one of HTTP/2: the cases know no other. */
function bridgeTo(server) {
  const bridge = http.createServer();
  let session;

  server.on('listening', () => {
    session = http2.connect(`http://${HOST}:${server.address().port}`);
    session.once('remoteSettings', () => bridge.listen(0, HOST));
  });

  bridge.on('upgrade', ({ url, headers }, socket, head) => {
    const { upgrade, connection, host, ...fields } = headers;
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': upgrade,
      ':authority': host,
      ':path': url,
      ...fields
    });

    stream.on('response', (response) => {
      const lines = Object.entries(response)
        .filter(([name]) => name.startsWith('sec-'))
        .map(([name, value]) => `${name}: ${value}\r\n`);

      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\n' +
          `Upgrade: ${upgrade}\r\nConnection: ${connection}\r\n` +
          `${lines.join('')}\r\n`
      );
      stream.write(head);
      stream.pipe(socket).pipe(stream);
    });
    stream.on('error', () => socket.destroy());
    stream.on('close', () => stream.rstCode && socket.destroy());
    socket.on('error', () => stream.destroy());
  });
  return bridge;
}

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
