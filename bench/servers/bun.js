'use strict';

/** Bun's own server, with the settings of `node.js`. */
const readline = require('readline');

const tls = require('./tls');
const work = require('./work');

const settings = JSON.parse(process.argv[2]);
const { Bun } = globalThis;
const everybody = 'everybody';
/** Without contexts of their own the connections share one. */
const compression = settings.deflate === 'takeover' ? 'dedicated' : 'shared';
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: settings.tls && tls.read(),
  fetch(request, listener) {
    if (listener.upgrade(request)) return undefined;

    return new globalThis.Response('', { status: 426 });
  },
  websocket: {
    backpressureLimit: 2 ** 27,
    idleTimeout: 0,
    maxPayloadLength: 100 * 2 ** 20,
    perMessageDeflate: settings.deflate && {
      compress: compression,
      decompress: compression
    },
    open(ws) {
      if (settings.isBroadcasting) ws.subscribe(everybody);
    },
    message(ws, data) {
      if (settings.busy) work(settings.busy);

      if (settings.isBroadcasting)
        server.publish(everybody, data, settings.deflate !== undefined);
      else ws.send(data, settings.deflate !== undefined);
    }
  }
});

console.log(server.port);

readline.createInterface({ input: process.stdin }).on('line', () => {
  Bun.gc(true);
  setTimeout(() => {
    Bun.gc(true);
    console.log('collected');
  }, 200);
});
