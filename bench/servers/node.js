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

  wss.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => {
      if (busy) work(busy);

      if (isBroadcasting) {
        for (const client of wss.clients) {
          client.send(data, { binary: isBinary });
        }
      } else {
        ws.send(data, { binary: isBinary });
      }
    });
  });
}
