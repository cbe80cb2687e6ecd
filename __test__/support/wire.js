'use strict';

const { createHash } = require('crypto');

const OPCODE = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10
};

/** The masking key of the examples of RFC 6455, section 5.7. */
const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/**
 * The bytes of one frame.
 *
 * @param {object} fields
 * @param {number} fields.opcode
 * @param {Buffer|string} [fields.payload] before masking
 * @param {boolean} [fields.fin=true]
 * @param {number} [fields.rsv=0] the three reserved bits, RSV1 = 4
 * @param {Buffer} [fields.key] masking key; none: unmasked
 * @param {number|bigint} [fields.length] announced instead of the real length
 * @param {number} [fields.lengthBytes] 0, 2 or 8: form of the length field
 */
function frame(fields) {
  const { opcode, fin = true, rsv = 0, key } = fields;
  const payload = Buffer.from(fields.payload || '');
  const length = fields.length === undefined ? payload.length : fields.length;
  const lengthBytes =
    fields.lengthBytes === undefined
      ? length < 126
        ? 0
        : length < 65536
          ? 2
          : 8
      : fields.lengthBytes;
  const header = Buffer.alloc(2 + lengthBytes);

  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (lengthBytes === 0) header[1] = Number(length);
  if (lengthBytes === 2) {
    header[1] = 126;
    header.writeUInt16BE(Number(length), 2);
  }
  if (lengthBytes === 8) {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!key) return Buffer.concat([header, payload]);

  header[1] |= 0x80;
  return Buffer.concat([header, key, applyMask(payload, key)]);
}

/** A masked or unmasked copy of `payload`. */
function applyMask(payload, key) {
  return Buffer.from(payload.map((byte, index) => byte ^ key[index & 3]));
}

/** The payload of a close frame. */
function closePayload(code, reason = '') {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));

  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/**
 * The first frame of `bytes` as `{ value, size }`, or null when it is not
 * complete. `value` is `{ fin, rsv, opcode, key, payload }` with the payload
 * unmasked and `key` null when the frame is not masked.
 */
function parseFrame(bytes) {
  if (bytes.length < 2) return null;

  let length = bytes[1] & 0x7f;
  let offset = 2;

  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    offset = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    offset = 10;
  }

  const masked = (bytes[1] & 0x80) !== 0;
  const start = offset + (masked ? 4 : 0);

  if (bytes.length < start + length) return null;

  const key = masked ? Buffer.from(bytes.subarray(offset, start)) : null;
  const data = bytes.subarray(start, start + length);

  return {
    value: {
      fin: (bytes[0] & 0x80) !== 0,
      rsv: (bytes[0] >> 4) & 7,
      opcode: bytes[0] & 0x0f,
      key,
      payload: masked ? applyMask(data, key) : Buffer.from(data)
    },
    size: start + length
  };
}

/** All complete frames of `bytes`. */
function parseFrames(bytes) {
  const frames = [];
  let rest = bytes;
  let parsed;

  while ((parsed = parseFrame(rest)) !== null) {
    frames.push(parsed.value);
    rest = rest.subarray(parsed.size);
  }
  return frames;
}

/** The text of an HTTP head up to its empty line, or null. */
function parseHead(bytes) {
  const end = bytes.indexOf('\r\n\r\n');

  if (end === -1) return null;
  return { value: bytes.toString('latin1', 0, end + 4), size: end + 4 };
}

/** The Sec-WebSocket-Accept value for a key. */
function acceptOf(key) {
  return createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
}

/** The text of an upgrade request; a header set to undefined is left out. */
function upgradeRequest({ method = 'GET', path = '/', headers = {} } = {}) {
  const fields = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': SAMPLE_KEY,
    'Sec-WebSocket-Version': '13',
    ...headers
  };
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);

  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The 101 that answers a request head; `headers` are added lines. */
function switchingProtocols(head, headers = []) {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(headerOf(head, 'sec-websocket-key'))}`,
    ...headers,
    '\r\n'
  ].join('\r\n');
}

/** The value of the first header of that name in a head, or undefined. */
function headerOf(head, name) {
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');

    if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) {
      return line.slice(colon + 1).trim();
    }
  }
  return undefined;
}

module.exports = {
  KEY,
  OPCODE,
  SAMPLE_KEY,
  acceptOf,
  applyMask,
  closePayload,
  frame,
  headerOf,
  parseFrame,
  parseFrames,
  parseHead,
  switchingProtocols,
  upgradeRequest
};
