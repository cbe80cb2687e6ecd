'use strict';

// Echoes over TLS: `node examples/tls/server.js`, and in another terminal
// `node examples/tls/client.js`. The certificate is for localhost and signed by
// itself: use one of your own in earnest.

const fs = require('fs');
const { createServer } = require('https');
const path = require('path');
const { WebSocketServer } = require('oxws');

const { PORT = 8443 } = process.env;

const server = createServer({
  cert: fs.readFileSync(path.join(__dirname, 'certificate.pem')),
  key: fs.readFileSync(path.join(__dirname, 'key.pem'))
});
const wss = new WebSocketServer({ server });

wss.on('connection', (ws, request) => {
  console.log('Connected by %s', request.socket.getProtocol());
  ws.on('error', console.error);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});

server.listen(PORT, () => {
  console.log('Listening on wss://localhost:%d', server.address().port);
});
