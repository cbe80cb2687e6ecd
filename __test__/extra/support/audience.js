'use strict';

const { once } = require('events');

const { dial, listen } = require('../../support/connection');
const { oxws, ws } = require('../../support/implementations');

/** Clients are those of ws, which checks each byte. */
const row = (route) => ({
  route,
  WebSocketServer: oxws.WebSocketServer,
  WebSocket: ws
});

/** `count` clients of a server, with what each of them receives. */
async function serve(route, count, options = {}, clientOptions = {}) {
  const pair = row(route);
  const { wss, url } = await listen(pair, options);
  const servers = [];
  const clients = [];

  for (let index = 0; index < count; index++) {
    const connected = once(wss, 'connection');
    const client = dial(
      pair,
      url,
      [],
      typeof clientOptions === 'function' ? clientOptions(index) : clientOptions
    );

    client.received = [];
    client.on('message', (data, isBinary) => {
      client.received.push(`${isBinary ? 'b' : 't'}${data.toString('latin1')}`);
    });
    await once(client, 'open');
    servers.push((await connected)[0]);
    clients.push(client);
  }
  return { wss, servers, clients };
}

/** A pong comes behind all that was sent before. */
function settled(servers, clients) {
  return Promise.all(
    servers.map(async (server, index) => {
      const ponged = once(clients[index], 'pong');

      server.pong('settled');
      await ponged;
    })
  );
}

module.exports = { row, serve, settled };
