'use strict';

// A chat with rooms: `node examples/chat/server.js`, then open the page that it
// names in two windows, or on a phone in the same network. PORT names another
// port.

const fs = require('fs');
const { createServer } = require('http');
const path = require('path');
const { WebSocketServer } = require('oxws');
const { keepAlive } = require('oxws/extra');

const { Lobby } = require('./lobby');
const { Visitor } = require('./visitor');
const { MAX_FILE } = require('./limits');

const { PORT = 8080 } = process.env;
const PUBLIC = path.join(__dirname, 'public');

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
};

/** The files of the page; there are no others, whatever a request asks for. */
const files = new Map(
  fs.readdirSync(PUBLIC).map((name) => [
    name === 'index.html' ? '/' : `/${name}`,
    {
      body: fs.readFileSync(path.join(PUBLIC, name)),
      type: TYPES[path.extname(name)]
    }
  ])
);

const server = createServer((request, response) => {
  const file = files.get(request.url.split('?', 1)[0]);

  if (!file) {
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not found');
    return;
  }
  response.writeHead(200, {
    'Content-Type': file.type,
    'Content-Security-Policy':
      "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:",
    'X-Content-Type-Options': 'nosniff'
  });
  response.end(file.body);
});

const wss = new WebSocketServer({
  server,
  path: '/chat',
  // A file travels as one message, after a header.
  maxPayload: MAX_FILE + 4096,
  perMessageDeflate: true,
  verifyClient: ({ origin, req }) => isSameOrigin(origin, req.headers.host)
});

/** Pages of other sites may not use the cookies and the network of a visitor. */
function isSameOrigin(origin, host) {
  // Programs other than browsers send no origin.
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

const lobby = new Lobby();

wss.on('connection', (ws) => {
  const visitor = new Visitor(ws, lobby);

  ws.on('error', (err) => console.error('%s: %s', visitor.name, err.message));
  ws.on('message', (data, isBinary) => {
    if (isBinary) visitor.receiveFile(data);
    else visitor.receive(data);
  });
  ws.on('close', () => visitor.leave());
});

// Phones vanish without a word: who does not answer a ping is gone.
keepAlive(wss);

server.listen(PORT, () => {
  console.log('Listening on http://localhost:%d', server.address().port);
});
