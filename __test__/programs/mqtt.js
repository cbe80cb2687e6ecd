'use strict';

// Clients of MQTT.js and a broker, Aedes, on streams over WebSockets:
// `node mqtt.js own|shared`, on a port of its own or an http server's.

const { once } = require('events');
const http = require('http');
const { Aedes } = require('aedes');
const mqtt = require('mqtt');
const { WebSocketServer, createWebSocketStream } = require('ws');

async function main() {
  const broker = await Aedes.createBroker();
  const httpServer = process.argv[2] === 'own' ? null : http.createServer();
  const wss = new WebSocketServer(
    httpServer ? { server: httpServer } : { port: 0, host: '127.0.0.1' }
  );

  wss.on('connection', (websocket, request) => {
    const stream = createWebSocketStream(websocket);

    readAllAtOnce(stream);
    broker.handle(stream, request);
  });
  if (httpServer) httpServer.listen(0, '127.0.0.1');
  await once(wss, 'listening');

  const url = `ws://127.0.0.1:${wss.address().port}`;
  const options = { reconnectPeriod: 0, keepalive: 60 };
  const listener = await mqtt.connectAsync(url, {
    ...options,
    clientId: 'listener'
  });
  const talker = await mqtt.connectAsync(url, {
    ...options,
    clientId: 'talker',
    will: { topic: 'wills', payload: Buffer.from('I am gone'), qos: 1 }
  });

  console.log(listener.connected, talker.connected);
  await listener.subscribeAsync(['texts/#', 'wills'], { qos: 1 });

  const received = receive(listener, 5);

  for (const [qos, text] of ['none', 'once', 'exactly'].entries()) {
    await talker.publishAsync('texts/short', text, { qos });
  }
  await talker.publishAsync('texts/long', 'x'.repeat(300000), { qos: 1 });
  await talker.publishAsync('texts/empty', '', { qos: 1 });
  for (const [topic, payload] of await received) {
    console.log(topic, payload.length > 20 ? payload.length : String(payload));
  }

  const burst = receive(listener, 500);

  for (let count = 0; count < 500; count++) {
    talker.publish('texts/burst', `${count}`);
  }
  console.log(
    (await burst).every(([, payload], index) => String(payload) === `${index}`)
  );

  const will = receive(listener, 1);

  talker.stream.destroy();
  console.log(...(await will).map(([topic, text]) => `${topic}: ${text}`));

  await listener.endAsync();
  await new Promise((resolve) => broker.close(resolve));
  wss.close();
  if (httpServer) httpServer.close();
}

/**
 * Aedes takes what one `read(null)` gives for all there is. Since Node.js 26 it
 * is one chunk.
 */
function readAllAtOnce(stream) {
  const { read } = stream;

  stream.read = (size) => {
    if (size !== null) return read.call(stream, size);

    const chunks = [];

    for (let chunk; (chunk = read.call(stream)) !== null;) chunks.push(chunk);
    return chunks.length === 0 ? null : Buffer.concat(chunks);
  };
}

/** The next `count` messages of a client. */
function receive(client, count) {
  const messages = [];

  return new Promise((resolve) => {
    client.on('message', function onMessage(topic, payload) {
      messages.push([topic, payload]);
      if (messages.length < count) return;
      client.removeListener('message', onMessage);
      resolve(messages);
    });
  });
}

main();
