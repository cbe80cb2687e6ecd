'use strict';

/**
 * A server of ws, or of a package with its API, that is asked for its memory.
 * The settings are one argument of JSON; prints its port, and an answer to each
 * line on stdin: `memory`, `flood MIB` or `terminate`.
 */
const readline = require('readline');

const { resident } = require('../usage');

const { module: library, deflate, keeps } = JSON.parse(process.argv[2]);
const { WebSocketServer } = require(library);

const kept = [];
const wss = new WebSocketServer({
  host: '127.0.0.1',
  perMessageDeflate: deflate,
  port: 0
});

wss.on('listening', () => console.log(wss.address().port));
wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => {
    // Of those that come together the short one is kept, and answered.
    if (keeps && data.length > 21) return;
    if (keeps && data.length === 20) kept.push(data);
    ws.send(data, { binary: isBinary });
  });
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const commands = {
  async memory() {
    for (let round = 0; round < 3; round++) {
      global.gc();
      await wait(100);
    }

    return resident(process.pid);
  },
  async flood(mebibytes) {
    for (const ws of wss.clients) {
      for (let sent = 0; sent < mebibytes; sent++) {
        ws.send(Buffer.alloc(1 << 20, 1));
        await wait(0);
      }
    }

    return [...wss.clients].reduce((sum, ws) => sum + ws.bufferedAmount, 0);
  },
  async terminate() {
    for (const ws of wss.clients) ws.terminate();
    while (wss.clients.size > 0) await wait(1);

    return 'done';
  }
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const [command, argument] = line.split(' ');

  console.log(await commands[command](Number(argument)));
});
