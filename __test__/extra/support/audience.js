'use strict';

const { once } = require('events');

const { routes } = require('../../routes/support/routes');
const { dial, listen } = require('../../support/connection');
const { oxws, ws } = require('../../support/implementations');

/** Clients are those of ws, which checks each byte. */
const row = (route) => ({
  route,
  serverLib: oxws,
  clientLib: ws,
  WebSocketServer: oxws.WebSocketServer,
  WebSocket: ws
});

/** Routes by which all are of one server. */
const OF_ONE_SERVER = ['native', 'adopted', 'TLS'];

/** Rows for each route. Over the last two no extension is negotiated. */
const rows = [
  ...[...OF_ONE_SERVER, 'unix socket'].map((name) => ({
    name,
    negotiates: true
  })),
  ...['HTTP/2', 'Duplex'].map((name) => ({ name, driverless: true }))
];

/** What opens connections to one server. */
async function ofOneServer(route, options) {
  const pair = row(route);
  const { wss, url } = await listen(pair, options);

  return async (clientOptions) => {
    const connected = once(wss, 'connection');
    const client = dial(pair, url, [], clientOptions);
    const [[server]] = await Promise.all([connected, once(client, 'open')]);

    return { wss, server, client };
  };
}

/** What opens connections that have a server each, or none. */
function apart(name, options) {
  const route = routes.find((each) => each.name === name);

  return (clientOptions) =>
    route.open(row(name), { server: options, client: clientOptions });
}

/** `count` WebSockets and their clients, with what each of these receives. */
async function serve(route, count, options = {}, clientOptions = {}) {
  const open = OF_ONE_SERVER.includes(route)
    ? await ofOneServer(route, options)
    : apart(route, options);
  const connections = [];

  for (let index = 0; index < count; index++) {
    connections.push(
      await open(
        typeof clientOptions === 'function'
          ? clientOptions(index)
          : clientOptions
      )
    );
  }

  const [{ wss }] = connections;
  const servers = connections.map(({ server }) => server);
  const clients = connections.map(({ client }) => client);

  for (const client of clients) {
    client.received = [];
    client.on('message', (data, isBinary) => {
      client.received.push(`${isBinary ? 'b' : 't'}${data.toString('latin1')}`);
    });
  }
  return { wss, servers, clients };
}

/** A pong comes behind all that was sent before. */
function allArrived(servers, clients) {
  return Promise.all(
    servers.map(async (server, index) => {
      const ponged = once(clients[index], 'pong');

      server.pong('arrived');
      await ponged;
    })
  );
}

module.exports = { row, rows, serve, allArrived };
