'use strict';

const zlib = require('zlib');

const { describeData } = require('../../__test__/support/trace');
const {
  acceptOf,
  parseFrame,
  parseHead
} = require('../../__test__/support/wire');

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** A raw socket that has spoken HTTP when its frames begin. */
class Peer {
  #bytes = Buffer.alloc(0);

  constructor(socket) {
    this.socket = socket;
    this.isClosed = false;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    });
  }

  /** Bytes that have come. */
  get length() {
    return this.#bytes.length;
  }

  /** Sends an upgrade request. */
  request(parameters) {
    this.socket.write(
      [
        'GET / HTTP/1.1',
        'Host: localhost',
        'Connection: Upgrade',
        'Upgrade: websocket',
        `Sec-WebSocket-Key: ${KEY}`,
        'Sec-WebSocket-Version: 13',
        ...extensionLines(parameters, 'client', 'server'),
        '\r\n'
      ].join('\r\n')
    );
  }

  /** Answers an upgrade request when it has come. */
  async answer(parameters) {
    let head;

    while ((head = parseHead(this.#bytes)) === null) {
      await new Promise((resolve) => this.socket.once('data', resolve));
    }
    this.socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Connection: Upgrade',
        'Upgrade: websocket',
        `Sec-WebSocket-Accept: ${acceptOf(/^Sec-WebSocket-Key: (.*)\r$/m.exec(head.value)[1])}`,
        ...extensionLines(parameters, 'server', 'client'),
        '\r\n'
      ].join('\r\n')
    );
  }

  /** What came after the head: frames, inflated, and what is left after them. */
  frames({ parameters }) {
    const frames = [];
    const head = parseHead(this.#bytes);
    let rest = this.#bytes.subarray(head === null ? 0 : head.size);
    let parsed;
    let inflate = null;

    while ((parsed = parseFrame(rest)) !== null) {
      const { fin, rsv, opcode, key, payload } = parsed.value;

      rest = rest.subarray(parsed.size);
      if (rsv === 4) inflate = inflater(parameters, inflate);
      frames.push({
        fin,
        rsv,
        opcode,
        isMasked: key !== null,
        payload: describeData(rsv === 4 ? inflate(payload) : payload)
      });
    }
    if (rest.length > 0) frames.push({ rest: rest.toString('hex') });
    return frames;
  }
}

function extensionLines(parameters, peer, own) {
  if (parameters === null) return [];

  const { windowBits, peerHasContext, ownHasContext } = parameters;
  const fields = [
    'permessage-deflate',
    `${peer}_max_window_bits=${windowBits}`
  ];

  if (!peerHasContext) fields.push(`${peer}_no_context_takeover`);
  if (!ownHasContext) fields.push(`${own}_no_context_takeover`);
  return [`Sec-WebSocket-Extensions: ${fields.join('; ')}`];
}

/** Inflates whole messages, each after the others. */
function inflater({ ownHasContext }, last) {
  if (last !== null) return last;

  const compressed = [];
  let length = 0;

  return (payload) => {
    if (!ownHasContext) compressed.length = length = 0;
    compressed.push(payload, TAIL);

    const inflated = zlib.inflateRawSync(Buffer.concat(compressed), {
      finishFlush: zlib.constants.Z_SYNC_FLUSH
    });
    const message = inflated.subarray(length);

    length = inflated.length;
    return message;
  };
}

module.exports = Peer;
