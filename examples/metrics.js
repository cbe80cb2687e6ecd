'use strict';

// An echo server whose figures Prometheus can fetch: `node examples/metrics.js`,
// then `curl http://localhost:8080/metrics`. Nothing is counted here: the figures
// are those of stats(), taken when they are asked for.

const { createServer } = require('http');
const { WebSocketServer } = require('oxws');
const { stats } = require('oxws/extra');

const need = require('./support/need');

const { Counter, Gauge, Registry, collectDefaultMetrics } = need('prom-client');

const { PORT = 8080 } = process.env;

const registry = new Registry();
let figures;

/** A gauge of what is so at the moment. */
function gauge(name, help, read) {
  new Gauge({
    name: `websocket_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(read(figures));
    }
  });
}

/** A counter of what only grows: one figure, or several by the values of a label. */
function counter(name, help, read, label) {
  new Counter({
    name: `websocket_${name}_total`,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    collect() {
      const figure = read(figures);

      this.reset();

      if (label === undefined) {
        this.inc(figure);
        return;
      }

      for (const [value, count] of Object.entries(figure)) {
        this.inc({ [label]: value }, count);
      }
    }
  });
}

gauge('connections', 'Connections', (all) => all.connections);
gauge('paused', 'Connections that are paused', (all) => all.paused);
gauge('compressed', 'Connections that compress', (all) => all.compressed);
gauge('buffered_bytes', 'Bytes that wait', (all) => all.bytesBuffered);
gauge('buffered_bytes_max', 'Most of a connection', (all) => all.maxBuffered);
counter('accepted', 'Upgrades accepted', (all) => all.accepted);
counter('refused', 'Upgrades refused', (all) => all.refused, 'status');
counter('closed', 'Connections that have gone', (all) => all.closed, 'code');
counter('messages_received', 'Messages', (all) => all.messagesReceived);
counter('messages_sent', 'Messages', (all) => all.messagesSent);
counter('received_bytes', 'Bytes received', (all) => all.bytesReceived);
counter('sent_bytes', 'Bytes sent', (all) => all.bytesSent);
// Those of the process: memory, the event loop, garbage collection.
collectDefaultMetrics({ register: registry });

const server = createServer(async (request, response) => {
  if (request.url !== '/metrics') {
    response.writeHead(404).end();
    return;
  }

  figures = stats(wss);

  const text = await registry.metrics();

  response.writeHead(200, { 'Content-Type': registry.contentType });
  response.end(text);
});
const wss = new WebSocketServer({ server, path: '/echo' });

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
server.listen(PORT, () => {
  console.log('Listening on http://localhost:%d', server.address().port);
});
