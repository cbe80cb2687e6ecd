'use strict';

// One connection from its request to its end, in the order in which it happens.
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

/** Sends one message of the dialogue. */
function say(websocket, side, text) {
  websocket.send(text);
  record(`${side} sends a message`, { sent: text });
}

/** Notes a message, and answers what the dialogue knows. */
function hear(websocket, side, data) {
  const text = String(data);
  const answer = ANSWERS[text];

  record(`${side} receives a message`, { received: text });
  if (answer !== undefined) say(websocket, side, answer);
  else websocket.close(1000, 'Bye');
}

/** A WebSocket that notes its close frames. */
class TracedWebSocket extends WebSocket {
  /** Called by us, and to answer the other side's frame when that has come. */
  close(code, reason) {
    const side = this === client ? 'client' : 'server';
    const frame = `close ${code} ${reason}`;
    const hasCome = Buffer.isBuffer(reason);
    const isDue = this.readyState === WebSocket.OPEN;

    if (hasCome) record(`${side} receives a close frame`, { received: frame });
    super.close(code, reason);
    if (isDue) record(`${side} sends a close frame`, { sent: frame });
  }
}

function serve(wss) {
  wss.on('headers', ([statusLine]) => {
    record('server accepts', { sent: statusLine });
  });
  wss.on('connection', (websocket) => {
    server = websocket;
    record('server is open');
    server.on('message', (data) => hear(server, 'server', data));
    server.on('close', () => {
      record('server is closed');
      wss.close();
    });
  });
}

/** Called with each request, before it is answered. */
function verifyClient({ req: { method, url, httpVersion } }) {
  record('server receives the request', {
    received: `${method} ${url} HTTP/${httpVersion}`
  });

  return true;
}

function connect(port) {
  client = new TracedWebSocket(`ws://localhost:${port}/`);
  record('client sends the request', { sent: 'GET / HTTP/1.1' });
  client.on('upgrade', ({ statusCode, statusMessage, httpVersion }) => {
    record('client is accepted', {
      received: `HTTP/${httpVersion} ${statusCode} ${statusMessage}`
    });
  });
  client.on('open', () => {
    record('client is open');
    say(client, 'client', 'Hello');
  });
  client.on('message', (data) => hear(client, 'client', data));
  client.on('close', () => record('client is closed'));
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
  const options = { port, verifyClient, WebSocket: TracedWebSocket };
  const wss = new WebSocketServer(options, () => connect(wss.address().port));

  serve(wss);
  wss.on('error', (err) => {
    if (err.code !== 'EADDRINUSE' || port === 0) throw err;
    run(0);
  });
}

process.on('exit', print);
run(PREFERRED_PORT);
