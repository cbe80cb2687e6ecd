'use strict';

/** Bun's own server, as `node.js`. Its pings are its own, from the beginning. */
const { idleTimeoutFor } = require('./idle-timeout');
const { run } = require('./commands');

const settings = JSON.parse(process.argv[2]);
const { Bun } = globalThis;
const everybody = 'everybody';
const server = Bun.serve({
  hostname: '0.0.0.0',
  port: 0,
  fetch(request, listener) {
    if (listener.upgrade(request)) return undefined;

    return new globalThis.Response('', { status: 426 });
  },
  websocket: {
    idleTimeout: idleTimeoutFor(settings.interval),
    sendPings: true,
    open: (ws) => ws.subscribe(everybody),
    message() {}
  }
});

run(server.port, {
  async collect() {
    Bun.gc(true);
    await Bun.sleep(200);
    Bun.gc(true);
  },
  keepAlive() {},
  broadcast: (message) => server.publish(everybody, message)
});
