'use strict';

const { randomBytes } = require('crypto');

// Messages that are longer than a broker takes, in parts. Each message begins
// with a byte that says whether it is whole; that of a part is followed by the
// publisher, the number of its message, where in it the part belongs, and how
// long it is.

const WHOLE = 0;
const PART = 1;

const ID_LENGTH = 8;
const HEADER_LENGTH = 1 + ID_LENGTH + 3 * 4;

/** Messages of which only a part is there: their publishers may be gone. */
const MAX_UNFINISHED = 64;

/** Divides what is published. */
class Divider {
  constructor() {
    this._id = randomBytes(ID_LENGTH);
    this._count = 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} most Bytes that the broker takes
   * @return {Uint8Array[]}
   */
  divide(bytes, most) {
    const { length } = bytes;

    if (1 + length <= most) return [Buffer.concat([Buffer.of(WHOLE), bytes])];

    const room = most - HEADER_LENGTH;
    const number = (this._count = (this._count + 1) >>> 0);
    const parts = [];

    for (let offset = 0; offset < length; offset += room) {
      const header = Buffer.alloc(HEADER_LENGTH, PART);

      this._id.copy(header, 1);
      [number, offset, length].forEach((value, index) => {
        header.writeUInt32BE(value, 1 + ID_LENGTH + 4 * index);
      });
      parts.push(
        Buffer.concat([header, bytes.subarray(offset, offset + room)])
      );
    }

    return parts;
  }
}

/** Puts together what comes. Parts of one publisher come in order, or are lost. */
class Assembler {
  constructor() {
    /** By publisher: the message whose parts come. */
    this._unfinished = new Map();
  }

  /**
   * @param {Uint8Array} data As it came
   * @return {?Uint8Array} The message, if that is all of it
   */
  add(data) {
    if (data[0] === WHOLE) return data.subarray(1);
    if (data[0] !== PART || data.length < HEADER_LENGTH) return null;

    const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
    const id = bytes.toString('latin1', 1, 1 + ID_LENGTH);
    const [number, offset, length] = [0, 1, 2].map((index) =>
      bytes.readUInt32BE(1 + ID_LENGTH + 4 * index)
    );
    const part = bytes.subarray(HEADER_LENGTH);
    const message =
      offset === 0 ? this._begin(id, number) : this._unfinished.get(id);

    // One before it is lost, and with it the message.
    if (message?.number !== number || message.received !== offset) {
      this._unfinished.delete(id);
      return null;
    }

    message.received += part.length;
    message.parts.push(part);
    if (message.received < length) return null;

    this._unfinished.delete(id);
    return Buffer.concat(message.parts);
  }

  _begin(id, number) {
    const message = { number, received: 0, parts: [] };

    this._unfinished.delete(id);
    this._unfinished.set(id, message);
    if (this._unfinished.size > MAX_UNFINISHED) {
      this._unfinished.delete(this._unfinished.keys().next().value);
    }

    return message;
  }
}

module.exports = { Assembler, Divider };
