'use strict';

// Finds connections that are dead though nobody closed them, as behind a
// pulled cable: `node examples/heartbeat.js`. INTERVAL sets the milliseconds
// between two looks. A peer answers pings by itself, so there is nothing to do.

const { WebSocketServer } = require('oxws');
const { keepAlive } = require('oxws/extra');

const { PORT = 8080, INTERVAL = 30000 } = process.env;

const wss = new WebSocketServer({ port: PORT });

keepAlive(wss, {
  pingInterval: Number(INTERVAL),
  pingTimeout: Number(INTERVAL) / 3
});

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('close', (code) => {
    // 1006: there was no closing handshake.
    console.log(code === 1006 ? 'A dead peer is gone' : 'A peer has left');
  });
});

wss.on('listening', () => {
  console.log('Listening on ws://localhost:%d', wss.address().port);
});
