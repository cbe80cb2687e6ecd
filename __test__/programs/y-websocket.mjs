// Documents of Yjs that a server keeps the same.

import { once } from 'node:events';
import http from 'node:http';

import WebSocket, { WebSocketServer } from 'ws';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as sync from 'y-protocols/sync';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const SYNC = 0;

/** Keeps one document, and tells every client what the others change. */
function serve(wss) {
  const doc = new Y.Doc();

  doc.on('update', (update) => {
    const encoder = encoding.createEncoder();

    encoding.writeVarUint(encoder, SYNC);
    sync.writeUpdate(encoder, update);
    for (const client of wss.clients) {
      client.send(encoding.toUint8Array(encoder));
    }
  });
  wss.on('connection', (websocket, request) => {
    console.log(request.url);
    websocket.binaryType = 'arraybuffer';
    websocket.on('message', (message) => {
      const decoder = decoding.createDecoder(new Uint8Array(message));

      if (decoding.readVarUint(decoder) !== SYNC) return;

      const encoder = encoding.createEncoder();

      encoding.writeVarUint(encoder, SYNC);
      sync.readSyncMessage(decoder, encoder, doc, websocket);
      if (encoding.length(encoder) > 1) {
        websocket.send(encoding.toUint8Array(encoder));
      }
    });

    const encoder = encoding.createEncoder();

    encoding.writeVarUint(encoder, SYNC);
    sync.writeSyncStep1(encoder, doc);
    websocket.send(encoding.toUint8Array(encoder));
  });
  return doc;
}

function settles(emitter, isSettled) {
  return new Promise((resolve) => {
    emitter.on('update', function onUpdate() {
      if (!isSettled()) return;
      emitter.off('update', onUpdate);
      resolve();
    });
  });
}

const httpServer = http.createServer();
const wss = new WebSocketServer({ noServer: true });

httpServer.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (websocket) => {
    wss.emit('connection', websocket, request);
  });
});
httpServer.listen(0, '127.0.0.1');
await once(httpServer, 'listening');

const kept = serve(wss);
const url = `ws://127.0.0.1:${httpServer.address().port}`;
const docs = [new Y.Doc(), new Y.Doc()];
const providers = [];

docs[0].getText('text').insert(0, 'written before ');
for (const doc of docs) {
  const provider = new WebsocketProvider(url, 'room', doc, {
    WebSocketPolyfill: WebSocket,
    disableBc: true
  });

  providers.push(provider);
  await new Promise((resolve) => provider.once('sync', resolve));
}
console.log(docs[1].getText('text').toString());

const arrived = settles(docs[0], () =>
  docs[0].getText('text').toString().endsWith('after')
);

docs[1].getText('text').insert(15, 'and after');
await arrived;
console.log(docs[0].getText('text').toString());

const filled = settles(docs[1], () => docs[1].getArray('list').length === 500);

for (let count = 0; count < 500; count++) {
  docs[0].getArray('list').push([count]);
}
await filled;
console.log(
  docs[1]
    .getArray('list')
    .toArray()
    .every((n, i) => n === i)
);
console.log(kept.getArray('list').length);

for (const provider of providers) provider.destroy();
for (const doc of docs) doc.destroy();
for (const client of wss.clients) client.close();
wss.close();
httpServer.close();
