'use strict';

// One connection from the upgrade to the last FIN, as both sides saw it.
// Run it with `node examples/lifecycle.js`: it ends by itself.

const { WebSocket, WebSocketServer } = require('..');

const PREFERRED_PORT = 8080;
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/** What each side answers to a message of the other. */
const ANSWERS = {
  Hello: 'Welcome',
  Welcome: 'How are you?',
  'How are you?': 'Good, thanks!'
};

const rows = [];
let client;
let server;

/** Notes what has just happened, with the states both sides are in now. */
function record(action, { sent = '', received = '' } = {}) {
  const stateOf = (websocket) =>
    websocket ? STATES[websocket.readyState] : '-';

  rows.push({
    step: String(rows.length + 1),
    action,
    'message sent': sent,
    'message received': received,
    'connection state': `client ${stateOf(client)}, server ${stateOf(server)}`
  });
}

/** Answers what the dialogue knows; returns false at its end. */
function reply(websocket, side, text) {
  const answer = ANSWERS[text];

  if (answer === undefined) return false;
  websocket.send(answer);
  record(`${side} answers`, { sent: answer });
  return true;
}

function serve(wss) {
  wss.on('headers', ([statusLine]) => {
    record('server accepts the upgrade', { sent: statusLine });
  });
  wss.on('connection', (websocket, request) => {
    server = websocket;
    record('server is open', {
      received: `${request.method} ${request.url} HTTP/1.1`
    });
    server.on('message', (data) => {
      record('server receives', { received: String(data) });
      reply(server, 'server', String(data));
    });
    server.on('close', (code, reason) => {
      record("server has the client's close frame", {
        received: `close ${code} ${reason}`
      });
      wss.close();
    });
  });
}

function connect(port) {
  const ws = new WebSocket(`ws://localhost:${port}/`);

  client = ws;
  record('client connects', { sent: 'GET / HTTP/1.1' });
  ws.on('upgrade', ({ statusCode, statusMessage }) => {
    record('client is upgraded', {
      received: `HTTP/1.1 ${statusCode} ${statusMessage}`
    });
  });
  ws.on('open', () => record('client is open'));
  ws.on('open', () => ws.send('Hello'));
  ws.on('open', () => record('client greets', { sent: 'Hello' }));
  ws.on('message', (data) => {
    record('client receives', { received: String(data) });
    if (!reply(ws, 'client', String(data))) {
      ws.close(1000, 'Bye');
      record('client sends its close frame', { sent: 'close 1000 Bye' });
    }
  });
  ws.on('close', (code, reason) => {
    record("client has the server's close frame", {
      received: `close ${code} ${reason}`
    });
  });
}

/** Prints the rows as a table whose columns are as wide as their contents. */
function print() {
  const names = Object.keys(rows[0]);
  const widths = names.map((name) =>
    Math.max(name.length, ...rows.map((row) => row[name].length))
  );
  const line = (cells) =>
    cells.map((cell, index) => cell.padEnd(widths[index])).join(' | ');

  console.log(line(names));
  console.log(widths.map((width) => '-'.repeat(width)).join('-|-'));
  for (const row of rows) console.log(line(Object.values(row)));
}

/** Serves and connects on that port, on any other when it is taken. */
function run(port) {
  const wss = new WebSocketServer({ port }, () => connect(wss.address().port));

  serve(wss);
  wss.on('error', (err) => {
    if (err.code !== 'EADDRINUSE' || port === 0) throw err;
    run(0);
  });
}

process.on('exit', print);
run(PREFERRED_PORT);
