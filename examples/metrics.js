'use strict';

// An echo server whose figures Prometheus can fetch: `node examples/metrics.js`,
// then `curl http://localhost:8080/metrics`. Nothing is counted here: the figures
// are those of stats(), taken when they are asked for.

const { createServer } = require('http');
const { WebSocketServer } = require('oxws');
const { stats } = require('oxws/extra');

const need = require('./support/need');

const { Gauge, Registry, collectDefaultMetrics } = need('prom-client');

const { PORT = 8080 } = process.env;

const registry = new Registry();
let figures;

/** Has a metric tell one of the figures. */
function add(name, help, read) {
  new Gauge({
    name: `websocket_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(read(figures));
    }
  });
}

add('connections', 'Connections', (all) => all.connections);
add('paused', 'Connections that are paused', (all) => all.paused);
add('compressed', 'Connections that compress', (all) => all.compressed);
add('buffered_bytes', 'Bytes that wait', (all) => all.bytesBuffered);
add('buffered_bytes_max', 'Most of a connection', (all) => all.maxBuffered);
// Of the connections that there are: these fall when one goes.
add('received_bytes', 'Bytes received', (all) => all.bytesReceived);
add('sent_bytes', 'Bytes sent', (all) => all.bytesSent);
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
