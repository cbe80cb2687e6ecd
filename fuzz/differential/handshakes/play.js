'use strict';

const { once } = require('events');
const net = require('net');
const { setImmediate: turn, setTimeout: sleep } = require('timers/promises');

const { describeError, trace } = require('../../../__test__/support/trace');
const { acceptOf, parseHead } = require('../../../__test__/support/wire');

const HOST = '127.0.0.1';
const PATIENCE = 10000;

/**
 * Plays a scenario with a library.
 *
 * @param {number} quiet milliseconds without news after which the peer sends FIN
 * @returns {Promise<{ events, bytes }>} what was emitted, and what the peer got
 */
function play(library, scenario, quiet) {
  return scenario.side === 'server'
    ? serve(library, scenario, quiet)
    : dial(library, scenario, quiet);
}

async function serve({ WebSocketServer }, { options, text, places }, quiet) {
  const events = [];
  const wss = new WebSocketServer({ port: 0, host: HOST, ...options });

  wss.on('connection', (websocket, request) => {
    const { protocol, extensions } = websocket;

    events.push({
      event: 'connection',
      protocol,
      extensions,
      ...show(request)
    });
    websocket.on('ping', () => events.push({ event: 'ping' }));
    websocket.on('error', ({ code }) => events.push({ event: 'error', code }));
    websocket.on('close', (code) => events.push({ event: 'close', code }));
  });
  wss.on('headers', (lines) =>
    events.push({ event: 'headers', lines: [...lines] })
  );
  wss.on('error', (err) =>
    events.push({ event: 'error', ...describeError(err) })
  );
  await once(wss, 'listening');

  const socket = net.connect({
    port: wss.address().port,
    host: HOST,
    allowHalfOpen: true
  });
  const peer = observe(socket);

  await once(socket, 'connect');
  await exchange(peer, events, cut(text, places), quiet);
  for (const websocket of wss.clients) websocket.terminate();
  await new Promise((resolve) => wss.close(resolve));
  return { events, bytes: withoutDate(peer.bytes) };
}

async function dial(
  { WebSocket },
  { options, protocols, text, places },
  quiet
) {
  let onSocket;
  const accepted = new Promise((resolve) => (onSocket = resolve));
  const server = net.createServer({ allowHalfOpen: true }, onSocket);

  server.listen(0, HOST);
  await once(server, 'listening');

  const { port } = server.address();
  const websocket = new WebSocket(
    `ws://${HOST}:${port}/path?query`,
    protocols,
    { ...options, generateMask: (mask) => mask.fill(1) }
  );
  const events = trace(websocket);

  websocket.on('upgrade', (response) => events.push(show(response)));

  const peer = observe(await accepted);
  let head;

  while ((head = parseHead(Buffer.from(peer.bytes, 'latin1'))) === null) {
    await once(peer.socket, 'data');
  }

  const [, key] = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head.value);
  const answer = text.replaceAll('<accept>', acceptOf(key));

  await exchange(peer, events, cut(answer, places), quiet);
  websocket.terminate();
  await new Promise((resolve) => server.close(resolve));
  return {
    events,
    bytes: peer.bytes.replace(key, '<key>').replaceAll(`:${port}`, ':<port>')
  };
}

/** What of a message programs read. */
function show({
  method,
  url,
  statusCode,
  statusMessage,
  httpVersion,
  rawHeaders,
  headers
}) {
  return {
    method,
    url,
    statusCode,
    statusMessage,
    httpVersion,
    rawHeaders: rawHeaders.join('\n').replace(/[\w+/]{27}=/g, '<accept>'),
    headers: Object.keys(headers)
  };
}

function observe(socket) {
  const peer = { socket, bytes: '', isClosed: false, hasEnded: false };

  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => (peer.bytes += chunk.toString('latin1')));
  socket.on('end', () => (peer.hasEnded = true));
  peer.closed = new Promise((resolve) => {
    socket.on('close', () => {
      peer.isClosed = true;
      resolve();
    });
  });
  return peer;
}

/** Sends the chunks, waits until nothing more comes, and leaves. */
async function exchange(peer, events, chunks, quiet) {
  const { socket } = peer;
  const news = () => `${events.length} ${peer.bytes.length} ${peer.hasEnded}`;

  for (const chunk of chunks) {
    if (peer.isClosed) break;
    socket.write(chunk, 'latin1');
    await turn();
  }
  for (let last; last !== news();) {
    last = news();
    await sleep(quiet);
  }
  events.push({ event: 'quiet', hasEnded: peer.hasEnded });
  socket.end();

  const timeout = sleep(PATIENCE, 'timeout', { ref: false });

  if ((await Promise.race([peer.closed, timeout])) === 'timeout') {
    events.push({ event: 'no close' });
  }
  socket.destroy();
  // What hangs on the closed socket.
  await sleep(quiet);
}

function cut(text, places) {
  const edges = [0, ...places, 1].map((place) =>
    Math.round(place * text.length)
  );

  return edges
    .slice(1)
    .map((end, index) => text.slice(edges[index], end))
    .filter((chunk) => chunk !== '');
}

function withoutDate(text) {
  return text.replace(/^Date: .*$/gm, 'Date');
}

module.exports = { play };
