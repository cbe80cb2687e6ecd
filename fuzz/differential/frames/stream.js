'use strict';

const zlib = require('zlib');

const {
  frame,
  closePayload,
  OPCODE
} = require('../../../__test__/support/wire');

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** Characters of each length. */
const WORDS = ['plain text ', 'ä', '€', '𝄞', '\0', '{"id":17} '];

/** What no text can be mended after, and what has to be. */
const BROKEN = ['c3', 'a4', 'f09d', 'eda080', 'c080', 'ff', 'f4908080'].map(
  (hex) => Buffer.from(hex, 'hex')
);

const CODES = [1000, 1001, 1005, 1006, 1011, 1015, 2999, 3000, 4999, 5000, 0];

/**
 * A peer's frames: mostly what a peer should send, in about half of the streams
 * with something that it should not.
 */
class Stream {
  #random;
  #isMasked;
  #parameters;
  /** In how many frames there is a fault. */
  #faults;
  #isFragmented = false;
  /** Of the message that is being sent. */
  #isCompressed = false;
  #isText = false;
  /** What of it has been cut off the last fragment. */
  #left = Buffer.alloc(0);
  /** What later messages may refer to. */
  #context = Buffer.alloc(0);

  constructor(random, side, parameters) {
    this.#random = random;
    this.#isMasked = side === 'server';
    this.#parameters = parameters;
    this.#faults = random.oneIn(2) ? Infinity : 2 + random.below(20);
  }

  bytes() {
    const random = this.#random;
    const count = 1 + random.below(12);
    const frames = Array.from({ length: count }, () => this.#frame());

    if (random.oneIn(3)) frames.push(this.#close());
    if (random.oneIn(8)) frames.push(this.#frame());

    const bytes = Buffer.concat(frames);

    // The end of the stream may be missing.
    return random.oneIn(6)
      ? bytes.subarray(0, random.below(bytes.length + 1))
      : bytes;
  }

  #frame() {
    const random = this.#random;

    if (this.#faults !== Infinity && random.oneIn(this.#faults)) {
      return this.#faulty();
    }
    if (random.oneIn(4)) return this.#control(random.pick([ping, pong]));
    if (random.oneIn(30)) return this.#close();
    return this.#data();
  }

  /** A frame of a message; of the same as the last one if that is unfinished. */
  #data() {
    const random = this.#random;
    const isFirst = !this.#isFragmented;
    const opcode = isFirst ? random.pick([text, binary]) : continuation;
    const fin = random.oneIn(isFirst ? 2 : 3);

    if (isFirst) {
      this.#isCompressed = this.#parameters !== null && !random.oneIn(3);
      this.#isText = opcode === text;
    }

    const whole = Buffer.concat([this.#left, this.#payload()]);
    const length = fin ? whole.length : random.below(whole.length + 1);
    const data = whole.subarray(0, length);
    const payload = this.#isCompressed ? this.#deflate(data, fin) : data;

    this.#left = whole.subarray(length);
    this.#isFragmented = !fin;
    return this.#make({
      opcode,
      fin,
      rsv: isFirst && this.#isCompressed ? 4 : 0,
      payload
    });
  }

  #payload() {
    const random = this.#random;

    switch (random.below(10)) {
      case 0:
        return Buffer.alloc(0);
      case 1:
        return Buffer.alloc(random.pick([125, 126, 4000, 65536, 70000]), 'x');
      case 2:
        return this.#isText ? this.#words(1) : random.bytes(random.below(200));
      default:
        return this.#words(1 + random.below(30));
    }
  }

  #words(count) {
    return Buffer.from(
      Array.from({ length: count }, () => this.#random.pick(WORDS)).join('')
    );
  }

  #deflate(data, fin) {
    const { windowBits, peerHasContext } = this.#parameters;
    const dictionary = this.#context.subarray(-(1 << windowBits));
    const flushed = zlib.deflateRawSync(data, {
      windowBits,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      ...(dictionary.length > 0 && { dictionary })
    });

    this.#context =
      peerHasContext || !fin
        ? Buffer.concat([this.#context, data])
        : Buffer.alloc(0);
    return fin ? flushed.subarray(0, -4) : flushed;
  }

  #control(opcode) {
    return this.#make({
      opcode,
      payload: this.#random.bytes(this.#random.pick([0, 1, 2, 20, 125]))
    });
  }

  #close() {
    const random = this.#random;

    if (random.oneIn(4)) return this.#make({ opcode: close });

    const code = random.oneIn(2) ? random.pick(CODES) : 1000;
    const reason = random.oneIn(6) ? random.pick(BROKEN) : this.#words(2);

    return this.#make({
      opcode: close,
      payload: Buffer.concat([closePayload(code), reason])
    });
  }

  #faulty() {
    const random = this.#random;
    const payload = Buffer.from('payload');

    switch (random.below(10)) {
      case 0:
        return this.#make({ opcode: random.below(16), payload });
      case 1:
        return this.#make({ opcode: text, rsv: random.below(8), payload });
      case 2:
        return frame({
          opcode: text,
          payload,
          key: this.#isMasked ? undefined : random.bytes(4)
        });
      case 3:
        return this.#make({
          opcode: random.pick([ping, pong, close]),
          fin: random.oneIn(2),
          payload: Buffer.alloc(random.pick([1, 125, 126, 200]), 3)
        });
      case 4:
        return this.#make({
          opcode: binary,
          payload,
          length: random.pick([
            2n ** 53n - 1n,
            2n ** 53n,
            2n ** 63n,
            2n ** 64n - 1n
          ])
        });
      case 5:
        return this.#make({
          opcode: text,
          payload,
          lengthBytes: random.pick([2, 8])
        });
      case 6:
        return this.#make({ opcode: text, rsv: 4, payload: this.#broken() });
      case 7:
        return random.bytes(1 + random.below(20));
      case 8:
        this.#left = Buffer.concat([this.#left, random.pick(BROKEN)]);
        return this.#data();
      default:
        return this.#make({ opcode: continuation, payload });
    }
  }

  /** A deflate stream with one wrong byte. */
  #broken() {
    const random = this.#random;
    const bytes = zlib.deflateRawSync(Buffer.from('some text '.repeat(20)), {
      finishFlush: zlib.constants.Z_SYNC_FLUSH
    });

    bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    return bytes.subarray(0, -4);
  }

  #make(fields) {
    return frame({
      ...fields,
      key: this.#isMasked ? this.#random.bytes(4) : undefined
    });
  }
}

module.exports = Stream;
