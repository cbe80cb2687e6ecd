'use strict';

// Routes of @fastify/websocket, over a port and injected.

const EventEmitter = require('events');
const Fastify = require('fastify');
const websocket = require('@fastify/websocket');
const WebSocket = require('ws');

const { once } = EventEmitter;

/** Emits what the WebSockets of the routes do. */
const routes = new EventEmitter();

/** Resolves with the codes of both sides. */
async function closed(client) {
  const sides = [once(routes, 'close'), once(client, 'close')];

  return (await Promise.all(sides)).map(([code]) => code).join();
}

async function main() {
  const app = Fastify();

  await app.register(websocket, {
    options: { maxPayload: 1000, perMessageDeflate: true }
  });
  app.register(async (scope) => {
    scope.addHook('preValidation', async (request, reply) => {
      if (request.query.token === 'wrong') await reply.code(401).send('who?');
    });
    scope.get('/echo/:name', { websocket: true }, (socket, request) => {
      socket.on('message', (data) =>
        socket.send(`${request.params.name} ${data}`)
      );
      socket.on('error', (err) => console.log(err.code));
      socket.on('close', (code) => routes.emit('close', code));
    });
    scope.get('/greet', { websocket: true }, (socket) => {
      socket.send('welcome');
    });
    scope.get('/page', async () => 'a page');
  });
  await app.ready();

  console.log('injected');

  const injected = await app.injectWS('/echo/injected?token=right');

  injected.send('one');
  console.log(String((await once(injected, 'message'))[0]));
  injected.ping('two');
  console.log('pong', String((await once(injected, 'pong'))[0]));
  injected.send('x'.repeat(500));
  console.log((await once(injected, 'message'))[0].length);

  const ended = closed(injected);

  injected.terminate();
  console.log(await ended);

  console.log('injected, in onInit and onOpen');

  const order = [];
  const greeted = await app.injectWS(
    '/greet',
    {},
    {
      onInit: (socket) => {
        socket.on('open', () => order.push('open'));
        socket.on('message', (data) => order.push(String(data)));
      },
      onOpen: (socket) => order.push(socket.readyState)
    }
  );

  if (order.length < 3) await once(greeted, 'message');
  console.log(...order);
  greeted.terminate();
  await once(greeted, 'close');
  await app.injectWS('/echo/x?token=wrong').catch((err) => {
    console.log(err.message);
  });

  console.log('over a port');
  await app.listen({ port: 0, host: '127.0.0.1' });

  const { port } = app.server.address();
  const page = await app.inject('/page');

  console.log(page.statusCode, page.body);

  const client = new WebSocket(`ws://127.0.0.1:${port}/echo/real`);

  await once(client, 'open');
  console.log(client.extensions);
  client.send('hello');
  console.log(String((await once(client, 'message'))[0]));

  const failed = closed(client);

  client.send('x'.repeat(1001));
  console.log(await failed);

  const refused = new WebSocket(`ws://127.0.0.1:${port}/echo/x?token=wrong`);
  const [err] = await new Promise((resolve) => {
    refused.on('error', (...args) => resolve(args));
  });

  console.log(err.message);

  const open = new WebSocket(`ws://127.0.0.1:${port}/echo/last`);

  await once(open, 'open');

  const left = closed(open);

  await app.close();
  console.log(`closed with the app: ${await left}`);
}

main();
