'use strict';

// A feed of prices: `node examples/market/server.js`, and open the page that it
// names. Each symbol is a topic; a client says which ones it wants, and gets
// their prices as they change. Who reads too slowly is cut off, and may come
// back. SYMBOLS sets how many there are, RATE how many prices a second.

const fs = require('fs');
const { createServer } = require('http');
const path = require('path');
const { WebSocketServer } = require('oxws');
const { Topics, broadcast, keepAlive } = require('oxws/extra');

const { Market } = require('./market');

const { PORT = 8080, SYMBOLS = 200, RATE = 2000 } = process.env;

/** Who has more bytes waiting than this many is too slow. */
const MAX_BUFFERED = 256 * 1024;

/** Milliseconds between two looks at what is due. */
const TICK = 20;

const page = fs.readFileSync(path.join(__dirname, 'page.html'));
const market = new Market(Number(SYMBOLS));
const topics = new Topics({
  maxBuffered: MAX_BUFFERED,
  onSlow(ws) {
    counts.cutOff++;
    ws.terminate();
  }
});
const counts = { prices: 0, deliveries: 0, cutOff: 0 };

const server = createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page);
});

const wss = new WebSocketServer({
  server,
  path: '/feed',
  maxPayload: 64 * 1024
});

keepAlive(wss);

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.send(JSON.stringify({ symbols: market.symbols }));
  ws.on('message', (data) => {
    const wanted = parse(data);

    if (wanted === null) {
      ws.close(1008, 'Malformed');
      return;
    }

    for (const topic of topics.topicsOf(ws)) {
      if (!wanted.has(topic)) topics.unsubscribe(ws, topic);
    }
    for (const symbol of wanted) {
      if (!market.has(symbol) || !topics.subscribe(ws, symbol)) continue;

      ws.send(JSON.stringify(market.quote(symbol)));
    }
  });
});

/** The symbols that a client names, in an array of JSON. */
function parse(data) {
  try {
    const names = JSON.parse(data);

    return names.every((name) => typeof name === 'string')
      ? new Set(names)
      : null;
  } catch {
    return null;
  }
}

let due = 0;
let last = performance.now();

setInterval(() => {
  const now = performance.now();

  due += ((now - last) / 1000) * Number(RATE);
  last = now;

  for (; due >= 1; due--) {
    const quote = market.move();

    counts.prices++;
    counts.deliveries += topics.publish(quote.symbol, JSON.stringify(quote));
  }
}, TICK).unref();

setInterval(() => {
  const rates = { ...counts, clients: wss.clients.size };

  counts.prices = counts.deliveries = 0;
  broadcast(wss.clients, JSON.stringify({ rates }), { maxBuffered: 0 });
}, 1000).unref();

server.listen(PORT, () => {
  console.log('Listening on http://localhost:%d', server.address().port);
});
