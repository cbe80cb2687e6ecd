'use strict';

// Several processes on one port, which pass messages on to each other's
// clients: `node examples/cluster.js`. WORKERS sets their number.

const cluster = require('cluster');
const os = require('os');
const WebSocket = require('oxws');
const { broadcast } = require('oxws/extra');

const { PORT = 8080, WORKERS = os.availableParallelism() } = process.env;

/** Starts the workers; what one of them tells, all of them hear. */
function runPrimary() {
  for (let number = 0; number < Number(WORKERS); number++) cluster.fork();

  cluster.on('message', (sender, text) => {
    for (const worker of Object.values(cluster.workers)) worker.send(text);
  });
  cluster.on('exit', (worker, code) => {
    if (worker.exitedAfterDisconnect || code === 0) return;
    console.error(
      'Worker %d ended with %s: another one starts',
      worker.id,
      code
    );
    cluster.fork();
  });

  let listening = 0;

  cluster.on('listening', (worker, { port }) => {
    if (++listening === Number(WORKERS)) {
      console.log('Listening on ws://localhost:%d, %d workers', port, WORKERS);
    }
  });
}

function runWorker() {
  const wss = new WebSocket.Server({ port: PORT });
  const name = `worker ${cluster.worker.id}`;

  wss.on('connection', (ws) => {
    ws.on('error', console.error);
    ws.send(`You talk to ${name}`);
    ws.on('message', (data) => process.send(`${name}: ${data}`));
  });
  process.on('message', (text) => broadcast(wss.clients, text));
}

if (cluster.isPrimary) runPrimary();
else runWorker();
