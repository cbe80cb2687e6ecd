'use strict';

/**
 * A server of ws, or of a package with its API: one process, or a cluster with
 * one port. The settings are one argument of JSON; prints its port and the ids
 * of its processes; does what lines on stdin say.
 */
const cluster = require('cluster');
const { once } = require('events');
const http = require('http');

const { obeyer, onLine, run } = require('./commands');

const settings = JSON.parse(process.argv[2]);

/** Those of the addresses of this machine that the generators dial. */
const host = '0.0.0.0';

if (settings.cluster && cluster.isPrimary) runPrimary(settings.processes);
else serve();

/** Passes lines on to the workers. */
async function runPrimary(count) {
  const workers = Array.from({ length: count }, () => cluster.fork());
  const listening = await Promise.all(
    workers.map((worker) => once(worker, 'listening'))
  );
  const pids = workers.map(({ process: { pid } }) => pid);
  const [{ port }] = listening[0];

  console.log(JSON.stringify({ port, pids: [process.pid, ...pids] }));
  onLine(async (line) => {
    // The primary has garbage, too: that of the connections it handed on.
    if (line === 'gc') global.gc();

    await Promise.all(
      workers.map((worker) => {
        worker.send(line);
        return once(worker, 'message');
      })
    );
    console.log('done');
  });
}

function serve() {
  const { WebSocketServer } = require(settings.module);
  const options = { perMessageDeflate: false };

  if (settings.http) {
    const server = http.createServer();

    start(server, new WebSocketServer({ ...options, server }));
    server.listen(0, host);
  } else {
    const wss = new WebSocketServer({ ...options, host, port: 0 });

    start(wss, wss);
  }
}

function start(server, wss) {
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', () => {});
  });

  const ways = settings.extra ? extraWays(wss) : usualWays(wss);
  const work = { ...ways, collect };

  if (cluster.isWorker) {
    const obey = obeyer(work);

    process.on('message', async (line) => {
      await obey(line);
      process.send('done');
    });
  } else {
    server.on('listening', () => run(server.address().port, work));
  }
}

/** What programs with ws do. */
function usualWays(wss) {
  const silent = new WeakSet();

  return {
    keepAlive(milliseconds) {
      for (const ws of wss.clients) ws.on('pong', () => silent.delete(ws));

      setInterval(() => {
        for (const ws of wss.clients) {
          if (silent.has(ws)) {
            ws.terminate();
          } else {
            silent.add(ws);
            ws.ping();
          }
        }
      }, milliseconds);
    },
    broadcast(message) {
      for (const ws of wss.clients) ws.send(message);
    }
  };
}

function extraWays(wss) {
  const { broadcast, keepAlive } = require(settings.extra);

  return {
    keepAlive: (pingInterval) => void keepAlive(wss, { pingInterval }),
    broadcast: (message) => void broadcast(wss.clients, message)
  };
}

async function collect() {
  for (let round = 0; round < 2; round++) {
    global.gc();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
