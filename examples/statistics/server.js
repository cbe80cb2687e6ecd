'use strict';

// An echo server that shows how it does: `node examples/statistics/server.js`
// and open the page that it names. Whatever connects to /echo is counted;
// /statistics.json has the same figures for other programs.

const fs = require('fs');
const { createServer } = require('http');
const path = require('path');
const { WebSocketServer } = require('oxws');
const { broadcast } = require('oxws/extra');

const { Statistics } = require('./statistics');

const { PORT = 8080, INTERVAL = 1000 } = process.env;

const page = fs.readFileSync(path.join(__dirname, 'page.html'));
const echo = new WebSocketServer({ noServer: true });
const statistics = new Statistics(echo);
const watchers = new WebSocketServer({ noServer: true });

const server = createServer((request, response) => {
  if (request.url === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(page);
  } else if (request.url === '/statistics.json') {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(statistics.latest));
  } else {
    response.writeHead(404).end();
  }
});

server.on('upgrade', (request, socket, head) => {
  const wss = { '/echo': echo, '/statistics': watchers }[request.url];

  if (!wss) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    return;
  }
  wss.handleUpgrade(request, socket, head, (ws) => {
    wss.emit('connection', ws, request);
  });
});

echo.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});

watchers.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.send(JSON.stringify(statistics.latest));
});

setInterval(() => {
  const text = JSON.stringify(statistics.take());

  // Who does not keep up misses some: the next figures tell more anyway.
  broadcast(watchers.clients, text, { maxBuffered: 0 });
}, Number(INTERVAL)).unref();

server.listen(PORT, () => {
  console.log('Listening on http://localhost:%d', server.address().port);
});
