'use strict';

// Sends every message back: `node examples/echo-server.js`, and in another
// terminal `node examples/echo-client.js`. PORT names another port.

const { WebSocketServer } = require('oxws');

const { PORT = 8080 } = process.env;

const wss = new WebSocketServer({ port: PORT, perMessageDeflate: true });

wss.on('connection', (ws, request) => {
  const address = request.socket.remoteAddress;

  console.log('%s connected', address);
  ws.on('error', (err) => console.error('%s failed: %s', address, err.message));
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on('close', (code) => console.log('%s left with %d', address, code));
});

wss.on('listening', () => {
  console.log('Listening on ws://localhost:%d', wss.address().port);
});
