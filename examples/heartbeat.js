'use strict';

// Finds connections that are dead though nobody closed them, as behind a
// pulled cable: `node examples/heartbeat.js`. INTERVAL sets the milliseconds
// between two pings. A peer answers pings by itself, so all there is to do is
// to look whether it did.

const { WebSocketServer } = require('oxws');

const { PORT = 8080, INTERVAL = 30000 } = process.env;

const wss = new WebSocketServer({ port: PORT });

wss.on('connection', (ws) => {
  ws.isAlive = true;
  ws.on('pong', () => (ws.isAlive = true));
  ws.on('error', console.error);
  ws.on('close', (code) => {
    // 1006: there was no closing handshake.
    console.log(code === 1006 ? 'A dead peer is gone' : 'A peer has left');
  });
});

const timer = setInterval(() => {
  for (const ws of wss.clients) {
    if (ws.isAlive) {
      ws.isAlive = false;
      ws.ping();
    } else {
      ws.terminate();
    }
  }
}, Number(INTERVAL));

wss.on('close', () => clearInterval(timer));
wss.on('listening', () => {
  console.log('Listening on ws://localhost:%d', wss.address().port);
});
