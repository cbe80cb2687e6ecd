'use strict';

const { COMPRESS, FIN, RSV1, BINARY, TEXT } = require('../native/frame-flags');
const { channels } = require('../diagnostics');
const attempt = require('./attempt');
const native = require('../native/addon');
const { bridge, scheduleFlush } = require('../native/bridge');
const NativeConnection = require('../connection/native-connection');
const { kConnection, kOriginals, readyStates } = require('../constants');

const { OPEN } = readyStates;

/**
 * @typedef {import('./prepared-message').PreparedMessage} PreparedMessage
 * @typedef {import('../websocket')} WebSocket
 */

/** What became of a frame, as in `src/engine/connection/broadcast.rs`. */
const SLOW = 1;
const ELSEWHERE = 2;

/** The key of a frame that is not compressed. */
const PLAIN = 0;

/** As many bytes as can be told to the addon. */
const MAX_MARK = 0xffffffff;

/**
 * Sends a message to WebSockets of this copy of oxws.
 *
 * @param {WebSocket[]} websockets
 * @param {PreparedMessage} message
 * @param {number} most A WebSocket with more bytes waiting is slow
 * @param {function(WebSocket): void} onSlow
 * @return {number} For how many it was queued
 */
function broadcast(websockets, message, most, onSlow) {
  /** @type {WebSocket[][]} */
  const groups = [];
  let count = 0;

  for (const websocket of websockets) {
    if (websocket.readyState !== OPEN) continue;

    const key = keyOf(websocket, message);

    if (key === -1) count += sendOne(websocket, message, most, onSlow);
    else (groups[key] ??= []).push(websocket);
  }

  groups.forEach((group, key) => {
    count += sendFrame(group, key, message, most, onSlow);
  });

  return count;
}

/**
 * Which frame a WebSocket gets from the engine, without JavaScript taking part;
 * -1 if it has to: somebody may observe what is sent, or something comes first.
 */
function keyOf(websocket, message) {
  if (!takesFrames(websocket)) return -1;

  return frameKey(websocket._extensions['permessage-deflate'], message);
}

/** Whether frames of the engine's can be sent to it now. */
function takesFrames(websocket) {
  const { _sender: sender } = websocket;
  const connection = websocket[kConnection];
  const originals = websocket[kOriginals];

  return (
    websocket._isServer &&
    !channels.sent.hasSubscribers &&
    websocket.send === originals.send &&
    sender.send === originals.senderSend &&
    connection instanceof NativeConnection &&
    connection.takesFrames &&
    sender.isIdle
  );
}

/** Which frame of a message is for those with this extension; -1 for none. */
function frameKey(deflate, { bytes, compress }) {
  if (deflate === undefined || !compress || bytes.length < deflate._threshold) {
    return PLAIN;
  }

  return compress === 'each' ? -1 : windowOf(deflate);
}

/** zlib has no smaller window than that of 9 bits. */
function windowOf(deflate) {
  return Math.max(deflate.params.server_max_window_bits ?? 15, 9);
}

function sendFrame(group, key, message, most, onSlow) {
  const ids = Uint32Array.from(group, (each) => each[kConnection].id);
  const queued = bridge.broadcast(
    new Uint8Array(ids.buffer),
    frameOf(message, key, group[0]._extensions['permessage-deflate']),
    key === PLAIN ? 0 : 1,
    Math.min(most, MAX_MARK)
  );
  let count = queued;

  group.forEach((websocket, index) => {
    const result = ids[index];

    if (result === 0) websocket[kConnection].onFrameSent();
    else if (result === SLOW) attempt(onSlow, websocket);
    else if (result === ELSEWHERE) {
      count += sendOne(websocket, message, most, onSlow);
    }
  });

  scheduleFlush();

  return count;
}

/** The frame of a message for those with this extension, made once. */
function frameOf(message, key, deflate) {
  const known = message.frames.get(key);

  if (known !== undefined) return known;

  const { bytes, isBinary } = message;
  const flags = FIN | (isBinary ? BINARY : TEXT);
  let frame;

  if (key === PLAIN) {
    frame = Buffer.concat([native.encodeHeader(bytes.length, flags, 0), bytes]);
  } else {
    const { level, memLevel, strategy } = deflate._settings;

    frame = bridge.deflatedFrame(
      bytes,
      flags | RSV1 | COMPRESS,
      key,
      level,
      memLevel,
      strategy
    );
  }

  message.frames.set(key, frame);

  return frame;
}

/** By `send()`. Returns 1 if it was sent. */
function sendOne(websocket, message, most, onSlow) {
  if (most !== Infinity && websocket.bufferedAmount > most) {
    attempt(onSlow, websocket);
    return 0;
  }

  return attempt(send, websocket, message) ? 1 : 0;
}

function send(websocket, { compress, data, isBinary }, cb) {
  const options = { binary: isBinary, compress: Boolean(compress) };

  websocket.send(data, options, cb);
}

/**
 * Sends a message to one WebSocket.
 *
 * @param {WebSocket} websocket
 * @param {PreparedMessage} message
 * @param {function(Error=): void} [cb]
 */
function sendPrepared(websocket, message, cb) {
  const key = websocket.readyState === OPEN ? keyOf(websocket, message) : -1;

  if (key === -1) {
    send(websocket, message, cb);
    return;
  }

  const connection = websocket[kConnection];
  const ids = Uint32Array.of(connection.id);
  const deflate = websocket._extensions['permessage-deflate'];
  const frame = frameOf(message, key, deflate);
  const isCompressed = key === PLAIN ? 0 : 1;

  bridge.broadcast(new Uint8Array(ids.buffer), frame, isCompressed, MAX_MARK);

  if (ids[0] === ELSEWHERE) send(websocket, message, cb);
  else connection.onSent(typeof cb === 'function' ? cb : undefined);
}

module.exports = {
  MAX_MARK,
  PLAIN,
  broadcast,
  frameKey,
  frameOf,
  sendPrepared,
  takesFrames,
  windowOf
};
