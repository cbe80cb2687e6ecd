'use strict';

// Pages by Express and WebSockets on one port: `node examples/express.js`.
// Who may connect is decided by Express' own middleware, here by a session that
// the page begins.

const { randomUUID } = require('crypto');
const { createServer, ServerResponse } = require('http');
const express = require('express');
const { WebSocketServer } = require('oxws');

const { PORT = 8080 } = process.env;

const users = new Map();
const app = express();
const server = createServer(app);
const wss = new WebSocketServer({ noServer: true });

/** Finds the user of a request by its cookie. */
function readSession(request, response, next) {
  const [, id] = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie) || [];

  request.user = users.get(id);
  next();
}

app.use(readSession);

app.get('/', (request, response) => {
  if (!request.user) {
    const id = randomUUID();

    users.set(id, `guest ${users.size + 1}`);
    response.cookie('session', id, { httpOnly: true, sameSite: 'strict' });
  }
  response.type('html').send(`<!doctype html>
<meta charset="utf-8" /><title>Express</title>
<p id="greeting">Connecting …</p>
<script>
  const ws = new WebSocket(location.href.replace('http', 'ws'));
  ws.onmessage = ({ data }) => (greeting.textContent = data);
</script>`);
});

server.on('upgrade', (request, socket, head) => {
  // Middleware wants a response; nothing is ever written to this one.
  readSession(request, new ServerResponse(request), () => {
    if (!request.user) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => {
      wss.emit('connection', ws, request);
    });
  });
});

wss.on('connection', (ws, request) => {
  ws.on('error', console.error);
  ws.send(`Welcome, ${request.user}`);
});

server.listen(PORT, () => {
  console.log('Listening on http://localhost:%d', server.address().port);
});
