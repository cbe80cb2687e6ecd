'use strict';

const { setImmediate: turn } = require('timers/promises');

const { dial, listen } = require('../support/connection');
const { describeEach, implementations } = require('../support/implementations');
const {
  rawServer,
  rawSocket,
  switchingProtocols,
  upgradeRequest
} = require('../support/raw');
const { frame, KEY, OPCODE } = require('../support/wire');

/** Heads that the engine reads, and heads that Node does. */
const HEADS = [
  ['as usual', []],
  ['that Node reads', [['Content-Length', '0']]]
];

const TEXTS = ['one', 'two', 'three', 'four'];

const word = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sends messages in pieces: `early()` while this thread is busy with the head,
 * so that only others read them, `late()` when it is done.
 */
function sender(peer, key) {
  const bytes = Buffer.concat(
    TEXTS.map((payload) => frame({ opcode: OPCODE.text, payload, key }))
  );

  return {
    early() {
      peer.write(bytes.subarray(0, 1));
      Atomics.wait(word, 0, 0, 20);
      peer.write(bytes.subarray(1, 12));
      Atomics.wait(word, 0, 0, 20);
    },
    async late() {
      for (let start = 12; start < bytes.length; start += 5) {
        peer.write(bytes.subarray(start, start + 5));
        await turn();
      }
    }
  };
}

/** The messages of a WebSocket, once all or an error have come. */
function messagesOf(websocket) {
  const messages = [];

  return new Promise((resolve) => {
    websocket.on('message', (data) => {
      if (messages.push(data.toString()) === TEXTS.length) resolve(messages);
    });
    websocket.on('error', (err) => resolve(err.message));
  });
}

describeEach(implementations, 'frames behind the head', ({ lib }) => {
  test.each(HEADS)('of a response %s', async (_, fields) => {
    let frames;
    const { url } = await rawServer((peer, head) => {
      const lines = fields.map((field) => field.join(': '));

      peer.socket.setNoDelay(true);
      frames = sender(peer);
      peer.write(switchingProtocols(head, lines));
    });
    const client = dial({ WebSocket: lib }, url);
    const messages = messagesOf(client);

    client.on('upgrade', () => frames.early());
    client.on('open', () => setImmediate(frames.late));
    expect(await messages).toEqual(TEXTS);
  });

  test.each(HEADS)('of a request %s', async (_, fields) => {
    const { wss, port } = await listen(lib);
    const peer = await rawSocket(port);
    const frames = sender(peer, KEY);

    peer.socket.setNoDelay(true);
    wss.on('headers', () => frames.early());

    const messages = new Promise((resolve) => {
      wss.on('connection', (websocket) => {
        setImmediate(frames.late);
        resolve(messagesOf(websocket));
      });
    });

    peer.write(upgradeRequest({ headers: Object.fromEntries(fields) }));
    expect(await messages).toEqual(TEXTS);
  });
});
