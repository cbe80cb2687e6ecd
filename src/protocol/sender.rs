//! Frames on their way out.

use super::frame::{self, Bits};
use super::mask;

pub use super::frame::encode_header;

/// Appends one frame to `out`. `key` is used only when the bits have `KEY`.
pub fn append_frame(out: &mut Vec<u8>, payload: &[u8], bits: Bits, key: [u8; 4]) {
    let key = masking_key(bits, key);
    let (header, header_len) = encode_header(bits, payload.len() as u64, key);
    out.reserve(header_len + payload.len());
    out.extend_from_slice(&header[..header_len]);
    mask::append(key, payload, out);
}

/// A frame whose payload is written straight into the buffer it is sent from.
///
/// Between [`begin`](Frame::begin) and [`finish`](Frame::finish) the payload, and nothing else, is
/// appended to `out`.
#[derive(Debug)]
#[must_use = "the header is written by finish()"]
pub struct Frame {
    bits: Bits,
    start: usize,
    payload: usize,
}

impl Frame {
    /// Leaves room in `out` for the header of a payload of `expected_len` bytes. Another length is no
    /// error: `finish` then moves the payload if the header needs more or less room.
    pub fn begin(out: &mut Vec<u8>, bits: Bits, expected_len: usize) -> Self {
        let start = out.len();
        let payload = start + frame::header_len(bits, expected_len as u64);
        out.resize(payload, 0);
        Self {
            bits,
            start,
            payload,
        }
    }

    /// Puts the header in front of what was appended since `begin`, and masks it. `key` is used only
    /// when the bits have `KEY`.
    pub fn finish(self, out: &mut Vec<u8>, key: [u8; 4]) {
        let key = masking_key(self.bits, key);
        let len = out.len() - self.payload;
        let (header, header_len) = encode_header(self.bits, len as u64, key);
        let payload = self.start + header_len;
        if payload > self.payload {
            out.resize(payload + len, 0);
        }
        if payload != self.payload {
            out.copy_within(self.payload..self.payload + len, payload);
            out.truncate(payload + len);
        }
        out[self.start..payload].copy_from_slice(&header[..header_len]);
        mask::apply(key, 0, &mut out[payload..]);
    }
}

/// The key to mask with; all zero, which masks nothing, if the frame is not to be masked.
fn masking_key(bits: Bits, key: [u8; 4]) -> [u8; 4] {
    if bits.has(Bits::KEY) {
        key
    } else if bits.has(Bits::MASK) {
        mask::random_key()
    } else {
        [0; 4]
    }
}
