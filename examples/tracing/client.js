'use strict';

// Asks the server beside this file something, in a trace:
// `node examples/tracing/client.js [url]`.

const { once } = require('events');
const WebSocket = require('oxws');

const { stamp, traceMessages } = require('./messages');
const { start } = require('./telemetry');

const { tracer, storage } = start('client');

traceMessages(tracer, storage);

const [, , url = 'ws://localhost:8080'] = process.argv;
const ws = new WebSocket(url);

ws.on('error', (err) => {
  console.error(err.message || err.code);
  process.exitCode = 1;
});
ws.on('open', () => {
  tracer.startActiveSpan('question', async (span) => {
    ws.send(stamp({ text: 'The answer' }));

    const [data] = await once(ws, 'message');

    span.end();
    console.log(JSON.parse(data).text);
    ws.close();
  });
});
