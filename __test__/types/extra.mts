// What oxws/extra has, as an ES module.

import { connect, createSecureServer, createServer } from 'http2';

import WebSocket, { WebSocketServer } from 'oxws';
import * as extra from 'oxws/extra';
import all from 'oxws/extra';
import {
  Backplane,
  PreparedMessage,
  Topics,
  broadcast,
  connectHttp2,
  handleConnect,
  keepAlive,
  messages,
  sendAsync,
  serveHttp2,
  shutdown,
  stats,
  waitForDrain
} from 'oxws/extra';

class Player extends WebSocket {
  score = 0;
}

/** Made of what a program has, and of no address. */
class Guest extends WebSocket {
  constructor(readonly name: string) {
    super(null);
  }
}

const wss = new WebSocketServer({ port: 0, WebSocket: Player });
const guests = new WebSocketServer({ noServer: true, WebSocket: Guest });
const player = new Player('ws://localhost');

export async function use(): Promise<number> {
  using keeping = keepAlive(wss, { pingInterval: 1000 });

  keepAlive(player, { pingTimeout: 1000 }).stop();
  keeping.stop();
  await sendAsync(player, 'text', { binary: true, highWaterMark: 0 });
  await sendAsync(player, new Uint8Array(1));
  await waitForDrain(player, { signal: new AbortController().signal });
  for await (const { data, isBinary } of messages(player)) {
    const flag: boolean = isBinary;

    console.log(data.toString(), flag);
  }
  return (await shutdown(wss, { spread: 1000 })).terminated;
}

export async function publish(backplane: Backplane): Promise<void> {
  const topics = new Topics<Player>({
    maxBuffered: 1024,
    onSlow: (slow) => console.log(slow.score),
    backplane
  });
  const isNew: boolean = topics.subscribe(player, 'a');
  const count: number = topics.publish('a', new PreparedMessage('text'), {
    except: new Set([player])
  });

  topics.on('error', (err) => console.log(err.message, isNew, count));
  topics.unsubscribe(player);
  await topics.close();
}

const { accepted, refused, closed, messagesSent } = stats(wss);
const counts: (number | undefined)[] = [
  accepted,
  refused[401],
  closed[1006],
  messagesSent,
  stats([player]).messagesReceived,
  stats(player).bytesSent
];

// @ts-expect-error: a WebSocket accepts nobody.
counts.push(stats(player).accepted);
// @ts-expect-error: a topic has a name.
new Topics().subscribe(player);
const server = createSecureServer();

serveHttp2(wss, server);
serveHttp2(wss, createServer());
server.on('stream', (stream, headers) => {
  handleConnect(wss, stream, headers, (websocket, request) => {
    websocket.score = request.stream.id ?? 0;
  });
});
server.on('stream', (stream, headers) => {
  handleConnect(guests, stream, headers, ({ name }) => console.log(name));
});
new PreparedMessage('text', { compress: 'each' }).sendTo(player);
all.keepAlive(player).stop();
connectHttp2(connect('http://localhost'), 'ws://localhost', {
  protocols: 'a',
  protocolVersion: 8
}).close();
connectHttp2(connect('http://localhost'), 'ws://localhost', ['a'], {
  handshakeTimeout: 1000,
  headers: { cookie: 'a=1' }
}).close();
connectHttp2(connect('http://localhost'), new URL('ws://localhost'), {
  perMessageDeflate: false
}).terminate();
// @ts-expect-error: there is a connection already.
connectHttp2(connect('http://localhost'), 'ws://localhost', { agent: false });
// @ts-expect-error: a server has clients to shut down, a client has not.
shutdown(player);
// @ts-expect-error: a name is wrong.
keepAlive(wss, { interval: 1 });

export { extra };
