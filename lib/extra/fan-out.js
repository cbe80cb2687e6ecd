'use strict';

const { COMPRESS, FIN, RSV1, BINARY, TEXT } = require('../native/frame-flags');
const { channels } = require('../diagnostics');
const attempt = require('./attempt');
const native = require('../native/addon');
const { bridge, scheduleFlush } = require('../native/bridge');
const NativeConnection = require('../connection/native-connection');
const { isWriteOriginal } = require('../node/node-originals');
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
const MAX_BYTES = 0xffffffff;

/** From this length on a message is compressed elsewhere, in bytes. */
const LONG = 32 * 1024;

/**
 * By message, the numbers of the frames that take long to make. Those of another
 * copy of oxws are not the same.
 *
 * @type {WeakMap<PreparedMessage, Map<number, number>>}
 */
const pendingFrames = new WeakMap();

/** Gives those of messages that are forgotten back. */
const registry = new FinalizationRegistry((frame) => bridge.freeFrame(frame));

/** WebSockets of this copy of oxws that get a message. */
class Audience {
  /** @param {PreparedMessage} message */
  constructor(message) {
    this._message = message;
    /** By key, those whom the engine sends a frame. @type {Group[]} */
    this._groups = [];
    /** Those that are sent to one by one. @type {WebSocket[]} */
    this._others = [];
    this._isObserved = isObserved();
  }

  /** @param {WebSocket} websocket It is left out unless it is open */
  add(websocket) {
    if (websocket.readyState !== OPEN) return;

    const key = this._isObserved ? -1 : keyOf(websocket, this._message);

    if (key === -1) this._others.push(websocket);
    else (this._groups[key] ??= new Group()).add(websocket);
  }

  /**
   * Sends it to them.
   *
   * @param {number} most A WebSocket with more bytes waiting is slow
   * @param {function(WebSocket): void} onSlow
   * @return {number} For how many it was queued
   */
  send(most, onSlow) {
    const { _message: message } = this;
    let count = 0;

    for (const websocket of this._others) {
      count += sendOne(websocket, message, most, onSlow);
    }

    this._groups.forEach((group, key) => {
      count += group.send(key, message, most, onSlow);
    });

    return count;
  }
}

/** Those who get the same frame. */
class Group {
  constructor() {
    /** @type {WebSocket[]} */
    this._websockets = [];
    /** Those of their connections. @type {number[]} */
    this._ids = [];
    /** JavaScript has to hear of what one of them is sent. */
    this._isObserved = false;
  }

  add(websocket) {
    const connection = websocket[kConnection];

    this._websockets.push(websocket);
    this._ids.push(connection.id);
    if (!connection.isDirect) this._isObserved = true;
  }

  send(key, message, most, onSlow) {
    const [{ _extensions: extensions }] = this._websockets;
    const ids = new Uint32Array(this._ids);
    const queued = bridge.broadcast(
      new Uint8Array(ids.buffer),
      frameOf(message, key, extensions['permessage-deflate']),
      key === PLAIN ? 0 : 1,
      Math.min(most, MAX_BYTES)
    );

    scheduleFlush();

    return this._isObserved || queued < ids.length
      ? queued + this._finish(ids, message, most, onSlow)
      : queued;
  }

  /**
   * Does what is left to do.
   *
   * @param {Uint32Array} results What became of the frame, in order
   * @return {number} For how many more it was queued
   */
  _finish(results, message, most, onSlow) {
    let count = 0;

    this._websockets.forEach((websocket, index) => {
      const result = results[index];

      if (result === 0) websocket[kConnection].onFrameSent();
      else if (result === SLOW) attempt(onSlow, websocket);
      else if (result === ELSEWHERE) {
        count += sendOne(websocket, message, most, onSlow);
      }
    });

    return count;
  }
}

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
  const audience = new Audience(message);

  for (const websocket of websockets) audience.add(websocket);

  return audience.send(most, onSlow);
}

/**
 * Which frame a WebSocket gets from the engine, without JavaScript taking part;
 * -1 if it has to: somebody may observe what is sent, or something comes first.
 */
function keyOf(websocket, message) {
  if (!takesFrames(websocket)) return -1;

  return frameKey(websocket._extensions['permessage-deflate'], message);
}

/** Whether what any WebSocket sends passes something that a program has put there. */
function isObserved() {
  return channels.sent.hasSubscribers || !isWriteOriginal();
}

/** Whether frames of the engine's can be sent to it now. */
function takesFrames(websocket) {
  const { _sender: sender } = websocket;
  const connection = websocket[kConnection];
  const originals = websocket[kOriginals];

  if (
    websocket.send !== originals.send ||
    sender.send !== originals.senderSend ||
    sender._isPatched
  ) {
    return false;
  }

  // As was found before, and nothing has changed since.
  if (connection.isDirect) return true;

  const takes =
    websocket._isServer &&
    connection instanceof NativeConnection &&
    connection.takesFrames &&
    sender.isIdle;

  if (takes) connection.isDirect = connection.isUnobserved;

  return takes;
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

/**
 * The frame of a message for those with this extension, made once.
 *
 * @param {PreparedMessage} message
 * @param {number} key
 * @param {any} deflate
 * @return {(Buffer|number)} The number of one that takes long to make: another
 *     thread does
 */
function frameOf(message, key, deflate) {
  const { bytes, isBinary } = message;
  const flags = FIN | (isBinary ? BINARY : TEXT);
  const isPending = key !== PLAIN && bytes.length >= LONG;
  const frames = isPending ? pendingFramesOf(message) : message.frames;
  let frame = frames.get(key);

  if (frame !== undefined) return frame;

  if (key === PLAIN) {
    frame = Buffer.concat([native.encodeHeader(bytes.length, flags, 0), bytes]);
  } else {
    const { level, memLevel, strategy } = deflate._settings;
    const make = isPending ? bridge.pendingFrame : bridge.deflatedFrame;

    frame = make(
      bytes,
      flags | RSV1 | COMPRESS,
      key,
      level,
      memLevel,
      strategy
    );
    if (isPending) registry.register(message, frame);
  }

  frames.set(key, frame);

  return frame;
}

function pendingFramesOf(message) {
  let frames = pendingFrames.get(message);

  if (frames === undefined) {
    frames = new Map();
    pendingFrames.set(message, frames);
  }

  return frames;
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
  const isPlain = websocket.readyState === OPEN && !isObserved();
  const key = isPlain ? keyOf(websocket, message) : -1;

  if (key === -1) {
    send(websocket, message, cb);
    return;
  }

  const connection = websocket[kConnection];
  const ids = Uint32Array.of(connection.id);
  const deflate = websocket._extensions['permessage-deflate'];
  const frame = frameOf(message, key, deflate);
  const isCompressed = key === PLAIN ? 0 : 1;

  bridge.broadcast(new Uint8Array(ids.buffer), frame, isCompressed, MAX_BYTES);

  if (ids[0] === ELSEWHERE) send(websocket, message, cb);
  else connection.onSent(typeof cb === 'function' ? cb : undefined);
}

module.exports = {
  Audience,
  MAX_BYTES,
  PLAIN,
  broadcast,
  frameKey,
  frameOf,
  isObserved,
  sendPrepared,
  takesFrames,
  windowOf
};
