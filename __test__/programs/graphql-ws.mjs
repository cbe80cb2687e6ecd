// Queries and subscriptions of graphql-ws, whose subprotocol the server picks.

import EventEmitter, { once } from 'node:events';

import {
  GraphQLInt,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString
} from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import WebSocket, { WebSocketServer } from 'ws';

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      hello: {
        type: GraphQLString,
        args: { name: { type: GraphQLString } },
        resolve: (_, { name }) => `hello ${name}`
      }
    }
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: {
        type: GraphQLInt,
        args: { to: { type: GraphQLInt } },
        async *subscribe(_, { to }) {
          for (let count = 1; count <= to; count++) yield { count };
        }
      }
    }
  })
});

/** Emits the ends of a connection, as the server and the client see them. */
const sides = new EventEmitter();

const wss = new WebSocketServer({
  port: 0,
  host: '127.0.0.1',
  path: '/graphql'
});
const server = useServer(
  {
    schema,
    onConnect: ({ connectionParams }) => connectionParams?.token !== 'wrong',
    onDisconnect: (context, code) => sides.emit('disconnected', code)
  },
  wss
);

await once(wss, 'listening');

const url = `ws://127.0.0.1:${wss.address().port}/graphql`;

function connect(options) {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => {},
    ...options
  });
}

const client = connect({
  on: {
    connected: ({ protocol }) => console.log(protocol),
    closed: ({ code, reason }) => sides.emit('closed', code, reason)
  }
});

for await (const { data } of client.iterate({
  query: 'query ($name: String) { hello(name: $name) }',
  variables: { name: 'you' }
})) {
  console.log(data.hello);
}

const counts = [];

for await (const { data } of client.iterate({
  query: 'subscription { count(to: 100) }'
})) {
  counts.push(data.count);
}
console.log(counts.length, counts.at(-1));

try {
  await client.iterate({ query: '{ nothing }' }).next();
} catch ([err]) {
  console.log(err.message);
}

await new Promise((resolve) => {
  connect({
    connectionParams: { token: 'wrong' },
    on: {
      closed({ code, reason }) {
        console.log(`refused: ${code} ${reason}`);
        resolve();
      }
    }
  });
});

const other = new WebSocket(url, 'another-protocol');

other.on('error', (err) => console.log(err.message));
await new Promise((resolve) => other.on('close', resolve));

const ends = ['disconnected', 'closed'].map((event) => once(sides, event));

await client.dispose();
for (const values of await Promise.all(ends)) console.log(...values);
await server.dispose();
