'use strict';

// Talks to `server.js`: `node examples/tls/client.js [wss://localhost:8443]`.
// All options of `tls.connect()` are taken, here the authority to trust.

const fs = require('fs');
const path = require('path');
const WebSocket = require('oxws');

const [, , url = 'wss://localhost:8443'] = process.argv;

const ws = new WebSocket(url, {
  ca: fs.readFileSync(path.join(__dirname, 'certificate.pem'))
});

ws.on('open', () => ws.send('Hello over TLS'));
ws.on('message', (data) => {
  console.log(data.toString());
  ws.close(1000);
});
ws.on('error', (err) => {
  console.error(err.message);
  process.exitCode = 1;
});
