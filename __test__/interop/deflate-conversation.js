'use strict';

const { once } = require('events');

const { connect, dial, listen } = require('../support/connection');
const { tap } = require('../support/tap');
const { trace } = require('../support/trace');
const { OPCODE, parseFrames, parseHead } = require('../support/wire');

const NAME = 'sec-websocket-extensions';

/**
 * Lets both sides of a connection talk until it is closed.
 *
 * @param {object} pair a row of implementations.js
 * @param {object} setup as connect() takes it
 * @param {Function} play `(client, server)`, has to close the connection
 * @returns {Promise<object>} what was negotiated, and the trace of each side
 */
async function converse(pair, setup, play) {
  const traces = {};
  const closed = [];
  const watch = (side) => (websocket) => {
    traces[side] = trace(websocket);
    closed.push(new Promise((resolve) => websocket.on('close', resolve)));
  };
  const { client, server, request } = await connect(pair, {
    ...setup,
    onServer: watch('server'),
    onClient: watch('client')
  });

  await play(client, server);
  await Promise.all(closed);
  return { offer: request.headers[NAME], ...traces };
}

/**
 * Lets both sides talk as converse() does, through a tap.
 *
 * @returns {Promise<object>} the parameters agreed on, and the frames of each
 *     side, without the payload of those that are compressed
 */
async function converseTapped(pair, setup, play) {
  const { wss, port } = await listen(pair, setup.server);
  const { port: tapped, requests, answers, finished } = await tap(port);
  const connected = once(wss, 'connection');
  const client = dial(
    pair,
    `ws://127.0.0.1:${tapped}/`,
    setup.protocols,
    setup.client
  );

  const [[server]] = await Promise.all([connected, once(client, 'open')]);

  await play(client, server);
  await finished;

  const head = parseHead(answers());

  return {
    extension: /^sec-websocket-extensions: (.*)\r$/im.exec(head.value)?.[1],
    client: shapesOf(requests()),
    server: shapesOf(answers())
  };
}

function shapesOf(bytes) {
  const { size } = parseHead(bytes);
  let isCompressed;

  return parseFrames(bytes.subarray(size)).map((frame) => {
    const { fin, rsv, opcode, payload } = frame;
    const shape = { fin, rsv, opcode };

    // RSV1 of its first frame holds for a whole message.
    if (opcode === OPCODE.text || opcode === OPCODE.binary) {
      isCompressed = rsv === 4;
    }
    if (isCompressed && opcode <= OPCODE.binary) return shape;
    return { ...shape, payload: payload.toString('latin1') };
  });
}

/** `size` bytes that look random, always the same ones for a seed. */
function noise(size, seed = 1) {
  const bytes = Buffer.alloc(size);
  let state = seed;

  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

module.exports = { converse, converseTapped, noise };
