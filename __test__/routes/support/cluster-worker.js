'use strict';

// A worker of a cluster: `node cluster-worker.js LIBRARY KIND`. It answers each
// message with its process id, and ends on the message 'end'.

const http = require('http');

const [, , library, kind] = process.argv;
const { WebSocketServer } = require(library);

const httpServer = http.createServer();
const wss = new WebSocketServer(
  kind === 'http server' ? { server: httpServer } : { noServer: true }
);

if (kind === 'handleUpgrade()') {
  httpServer.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (websocket) => {
      wss.emit('connection', websocket, request);
    });
  });
}

wss.on('connection', (websocket) => {
  websocket.on('message', () => websocket.send(`${process.pid}`));
});

httpServer.listen(0, '127.0.0.1', () =>
  process.send(httpServer.address().port)
);

process.on('message', () => {
  httpServer.close();
  wss.close(() => process.disconnect());
});
