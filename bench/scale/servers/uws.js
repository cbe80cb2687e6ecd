'use strict';

/** uWebSockets.js, as `node.js`. Its pings are its own, from the beginning. */
const { idleTimeoutFor } = require('./idle-timeout');
const { run } = require('./commands');

const settings = JSON.parse(process.argv[2]);
const uws = require(settings.module);
const everybody = 'everybody';
const app = uws.App();

app.ws('/*', {
  compression: uws.DISABLED,
  idleTimeout: idleTimeoutFor(settings.interval),
  sendPingsAutomatically: true,
  open: (ws) => ws.subscribe(everybody),
  message() {}
});

app.listen('0.0.0.0', 0, (socket) => {
  run(uws.us_socket_local_port(socket), {
    async collect() {
      global.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 200));
    },
    keepAlive() {},
    broadcast: (message) => app.publish(everybody, message, true)
  });
});
