'use strict';

// Sends what is typed, line by line, and prints what comes back:
// `node examples/echo-client.js [ws://localhost:8080]`. At the end of the input
// it closes the connection, which delivers everything first.

const readline = require('readline');
const WebSocket = require('oxws');

const [, , url = 'ws://localhost:8080'] = process.argv;

const ws = new WebSocket(url);

ws.on('open', () => {
  const input = readline.createInterface({ input: process.stdin });

  console.log('Connected to %s', url);
  input.on('line', (line) => ws.send(line));
  input.on('close', () => ws.close(1000));
  ws.on('close', () => input.close());
});

ws.on('message', (data, isBinary) => {
  console.log(isBinary ? data : data.toString());
});

ws.on('error', (err) => {
  console.error(err.message);
  process.exitCode = 1;
});

ws.on('close', (code) => console.log('Closed with %d', code));
