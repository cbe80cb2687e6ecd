'use strict';

// A server whose spans go on with the traces that its clients have begun:
// `node examples/tracing/server.js`, then `node examples/tracing/client.js`. Both
// print their spans; those of a question and its answer are of one trace.

const { setTimeout: wait } = require('timers/promises');
const WebSocket = require('oxws');

const { stamp, traceMessages } = require('./messages');
const { start } = require('./telemetry');

const { PORT = 8080 } = process.env;
const { tracer, storage } = start('server');

traceMessages(tracer, storage);

const wss = new WebSocket.Server({ port: PORT });

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', async (data) => {
    const { text } = JSON.parse(data);
    const found = await lookUp(text);

    ws.send(stamp({ text: found }));
  });
});
wss.on('listening', () => {
  console.log('Listening on ws://localhost:%d', wss.address().port);
});

/** Work with a span of its own, below that of the message. */
function lookUp(text) {
  return tracer.startActiveSpan('look up', async (span) => {
    await wait(20);
    span.end();
    return `${text} is 42`;
  });
}
