'use strict';

// Routes and middleware of express-ws beside those of Express.

const { once } = require('events');
const express = require('express');
const expressWs = require('express-ws');
const WebSocket = require('ws');

async function main() {
  const app = express();
  const { getWss } = expressWs(app);

  app.use((request, response, next) => {
    request.user = request.query.user;
    next();
  });
  app.get('/page', (request, response) => response.send('a page'));
  app.ws('/echo/:name', (ws, request) => {
    ws.on('message', (text) => {
      ws.send(`${request.params.name} ${request.user}: ${text}`);
    });
    ws.on('close', (code) => console.log(`close ${code}`));
  });
  app.ws('/all', (ws) => {
    ws.on('message', (data, isBinary) => {
      for (const client of getWss().clients)
        client.send(data, { binary: isBinary });
    });
  });

  const server = app.listen(0, '127.0.0.1');

  await once(server, 'listening');

  const { port } = server.address();
  const page = await fetch(`http://127.0.0.1:${port}/page`, {
    headers: { Connection: 'close' }
  });

  console.log(page.status, await page.text());

  const echo = new WebSocket(`ws://127.0.0.1:${port}/echo/her?user=me`);

  await once(echo, 'open');
  for (const text of ['one', 'two']) {
    echo.send(text);
    console.log(String((await once(echo, 'message'))[0]));
  }

  const others = [1, 2].map(() => new WebSocket(`ws://127.0.0.1:${port}/all`));

  await Promise.all(others.map((client) => once(client, 'open')));

  const heard = [echo, ...others].map((client) => once(client, 'message'));

  others[0].send(Buffer.from('to all'));
  for (const [data, isBinary] of await Promise.all(heard)) {
    console.log(String(data), isBinary);
  }
  console.log(getWss().clients.size);

  const nowhere = new WebSocket(`ws://127.0.0.1:${port}/nowhere`);

  nowhere.on('open', () => console.log('open'));
  console.log('nowhere', (await once(nowhere, 'close'))[0]);

  for (const client of [echo, ...others]) {
    client.close(1000);
    await once(client, 'close');
  }
  server.close();
}

main();
