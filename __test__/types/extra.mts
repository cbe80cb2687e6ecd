// What oxws/extra has, as an ES module.

import WebSocket, { WebSocketServer } from 'oxws';
import * as extra from 'oxws/extra';
import {
  PreparedMessage,
  broadcast,
  keepAlive,
  messages,
  sendAsync,
  shutdown,
  waitForDrain
} from 'oxws/extra';

class Player extends WebSocket {
  score = 0;
}

const wss = new WebSocketServer({ port: 0, WebSocket: Player });
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

// @ts-expect-error: a server has clients to shut down, a client has not.
shutdown(player);
// @ts-expect-error: a name is wrong.
keepAlive(wss, { interval: 1 });

export { extra };
