'use strict';

// What members of a machine and their relay say to each other: the length of the
// rest in four bytes, the type in one, and a topic. A message has the length of
// its topic in four bytes before that, and the message after it.

const types = Object.freeze({
  SUBSCRIBE: 1,
  UNSUBSCRIBE: 2,
  MESSAGE: 3,
  /** A subscription holds from here on. */
  CONFIRMED: 4,
  /** So many messages, in four bytes, could not be passed on. */
  LOST: 5
});

const PREFIX = 4;
const TYPE = PREFIX;
const BODY = TYPE + 1;
const TOPIC = BODY + 4;

/** @param {number} type @param {string} [topic] */
function frameOf(type, topic = '') {
  const length = Buffer.byteLength(topic);
  const frame = Buffer.allocUnsafe(BODY + length);

  frame.writeUInt32BE(1 + length, 0);
  frame[TYPE] = type;
  frame.write(topic, BODY);

  return frame;
}

/** @param {string} topic @param {Uint8Array} bytes */
function messageFrame(topic, bytes) {
  const length = Buffer.byteLength(topic);
  const frame = Buffer.allocUnsafe(TOPIC + length + bytes.length);

  frame.writeUInt32BE(frame.length - PREFIX, 0);
  frame[TYPE] = types.MESSAGE;
  frame.writeUInt32BE(length, BODY);
  frame.write(topic, TOPIC);
  frame.set(bytes, TOPIC + length);

  return frame;
}

/** @param {number} count */
function lostFrame(count) {
  const frame = Buffer.alloc(BODY + 4);

  frame.writeUInt32BE(1 + 4, 0);
  frame[TYPE] = types.LOST;
  frame.writeUInt32BE(count, BODY);

  return frame;
}

/** Where the message of a frame begins. */
const endOfTopic = (frame) => TOPIC + frame.readUInt32BE(BODY);

/** @param {Buffer} frame */
const typeOf = (frame) => frame[TYPE];

/** The topic of a frame of any type but `LOST`. @param {Buffer} frame */
const topicOf = (frame) =>
  frame[TYPE] === types.MESSAGE
    ? frame.toString('utf8', TOPIC, endOfTopic(frame))
    : frame.toString('utf8', BODY);

/** The message. @param {Buffer} frame */
const bytesOf = (frame) => frame.subarray(endOfTopic(frame));

/** How many were lost. @param {Buffer} frame */
const countOf = (frame) => frame.readUInt32BE(BODY);

/** Finds the frames in a stream of bytes. */
class FrameReader {
  /** @param {function(Buffer): void} onFrame */
  constructor(onFrame) {
    this._onFrame = onFrame;
    this._chunks = [];
    this._length = 0;
    /** With so many bytes there may be a frame. */
    this._needed = PREFIX;
  }

  /** @param {Buffer} chunk */
  read(chunk) {
    this._chunks.push(chunk);
    this._length += chunk.length;
    if (this._length < this._needed) return;

    const bytes =
      this._chunks.length === 1 ? chunk : Buffer.concat(this._chunks);
    let start = 0;
    let end = endOf(bytes, start);

    while (end <= bytes.length) {
      this._onFrame(bytes.subarray(start, end));
      start = end;
      end = endOf(bytes, start);
    }

    this._length = bytes.length - start;
    this._needed = end - start;
    this._chunks = this._length > 0 ? [bytes.subarray(start)] : [];
  }
}

/** Where the frame ends that begins there, as far as that can be told. */
function endOf(bytes, start) {
  return bytes.length - start < PREFIX
    ? start + PREFIX
    : start + PREFIX + bytes.readUInt32BE(start);
}

module.exports = {
  FrameReader,
  bytesOf,
  countOf,
  frameOf,
  lostFrame,
  messageFrame,
  topicOf,
  typeOf,
  types
};
