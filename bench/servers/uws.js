'use strict';

/** uWebSockets.js, with the settings of `node.js`. */
const readline = require('readline');

const tls = require('./tls');
const work = require('./work');

const settings = JSON.parse(process.argv[2]);
const uws = require(settings.module);

const everybody = 'everybody';
const compressions = {
  takeover: uws.DEDICATED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR,
  none: uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR
};
const app = settings.tls
  ? uws.SSLApp({
      key_file_name: tls.files.key,
      cert_file_name: tls.files.cert
    })
  : uws.App();

app.ws('/*', {
  compression: compressions[settings.deflate] ?? uws.DISABLED,
  idleTimeout: 0,
  maxBackpressure: 2 ** 27,
  maxPayloadLength: 100 * 2 ** 20,
  open(ws) {
    if (settings.isBroadcasting) ws.subscribe(everybody);
  },
  message(ws, data, isBinary) {
    if (settings.busy) work(settings.busy);

    if (settings.isBroadcasting) app.publish(everybody, data, isBinary);
    else ws.send(data, isBinary, settings.deflate !== undefined);
  }
});

app.listen('127.0.0.1', 0, (socket) => {
  console.log(uws.us_socket_local_port(socket));
});

readline.createInterface({ input: process.stdin }).on('line', () => {
  global.gc?.();
  setTimeout(() => console.log('collected'), 200);
});
