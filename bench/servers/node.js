'use strict';

/**
 * A server of ws, or of a package with its API. The settings are one argument
 * of JSON; prints its port; collects garbage for each line on stdin.
 */
const http = require('http');
const https = require('https');
const readline = require('readline');

const tls = require('./tls');
const work = require('./work');

const settings = JSON.parse(process.argv[2]);
const { WebSocketServer } = require(settings.module);

const options = { perMessageDeflate: settings.deflate !== undefined };
const host = '127.0.0.1';

if (settings.http || settings.tls) {
  const server = settings.tls
    ? https.createServer(tls.read())
    : http.createServer();

  serve(new WebSocketServer({ ...options, server }));
  server.listen(0, host, () => console.log(server.address().port));
} else {
  const wss = new WebSocketServer({ ...options, host, port: 0 });

  serve(wss);
  wss.on('listening', () => console.log(wss.address().port));
}

readline.createInterface({ input: process.stdin }).on('line', () => {
  global.gc();
  setTimeout(() => {
    global.gc();
    console.log('collected');
  }, 200);
});

function serve(wss) {
  const { busy, isBroadcasting } = settings;
  const way = (settings.extra && settings.via) || 'loop';
  const extra = settings.extra ? require(settings.extra) : {};
  const { sendToAll, subscribe } = waysToAll(wss)[way](extra);

  wss.on('connection', (ws) => {
    subscribe?.(ws);
    ws.on('message', (data, isBinary) => {
      if (busy) work(busy);

      if (isBroadcasting) {
        sendToAll(data, { binary: isBinary });
      } else {
        ws.send(data, { binary: isBinary });
      }
    });
  });
}

/** What has no other way sends in a loop. */
function waysToAll(wss) {
  return {
    loop: () => ({
      sendToAll(data, options) {
        for (const client of wss.clients) client.send(data, options);
      }
    }),
    broadcast: ({ broadcast }) => ({
      sendToAll: (data, options) => broadcast(wss.clients, data, options)
    }),
    topics({ Topics }) {
      const topics = new Topics();

      return {
        sendToAll: (data, options) => topics.publish('all', data, options),
        subscribe: (ws) => topics.subscribe(ws, 'all')
      };
    }
  };
}
