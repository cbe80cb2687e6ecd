'use strict';

// Routes of Fastify and WebSockets on one port: `node examples/fastify.js`.
// `inject()` runs the hooks of a route for the upgrade too, so that
// authentication is written once.

const Fastify = require('fastify');
const { WebSocketServer } = require('oxws');

const { PORT = 8080 } = process.env;

const app = Fastify();
const wss = new WebSocketServer({ noServer: true });

app.addHook('onRequest', async (request, reply) => {
  if (request.query.token === undefined) {
    return reply.code(401).send({ error: 'Which token?' });
  }
});

app.get('/rooms/:room', async ({ params }) => ({ room: params.room }));

app.server.on('upgrade', async (request, socket, head) => {
  const { url, headers } = request;
  const response = await app.inject({ url, headers });

  if (response.statusCode !== 200) {
    socket.end(
      `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n` +
        'Connection: close\r\n\r\n'
    );
    return;
  }
  wss.handleUpgrade(request, socket, head, (ws) => {
    wss.emit('connection', ws, request, response.json());
  });
});

wss.on('connection', (ws, request, { room }) => {
  ws.on('error', console.error);
  ws.on('message', (data) => ws.send(`${room}: ${data}`));
});

app.addHook('preClose', async () => {
  for (const ws of wss.clients) ws.close(1001);
});

app.listen({ port: Number(PORT), host: 'localhost' }).then((address) => {
  console.log('Listening on %s', address);
});
