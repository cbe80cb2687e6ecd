'use strict';

/**
 * How a frame is sent, in one number: the low byte is the first byte of the
 * frame, the rest are flags for the encoder. `src/protocol/frame.rs` has the
 * other half of this table.
 */
module.exports = {
  CONTINUATION: 0x0,
  TEXT: 0x1,
  BINARY: 0x2,
  CLOSE: 0x8,
  PING: 0x9,
  PONG: 0xa,
  RSV1: 0x40,
  FIN: 0x80,
  /** Mask the payload, with a random key unless `KEY` is set. */
  MASK: 0x100,
  /** Compress the payload. */
  COMPRESS: 0x200,
  /** The masking key comes with the frame. */
  KEY: 0x400
};
