//! Frames on their way out.

use super::frame::{self, FrameFlags};
use super::mask;

pub use super::frame::encode_header;

/// Appends one frame to `out`. `key` is used only when the flags have `KEY`.
pub fn append_frame(out: &mut Vec<u8>, payload: &[u8], flags: FrameFlags, key: [u8; 4]) {
    let key = masking_key(flags, key);
    let (header, header_len) = encode_header(flags, payload.len() as u64, key);
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
    flags: FrameFlags,
    start: usize,
    payload: usize,
}

impl Frame {
    /// Leaves room in `out` for the header of a payload of `expected_len` bytes. Another length is no
    /// error: `finish` then moves the payload if the header needs more or less room.
    pub fn begin(out: &mut Vec<u8>, flags: FrameFlags, expected_len: usize) -> Self {
        let start = out.len();
        let payload = start + frame::header_len(flags, expected_len as u64);
        out.resize(payload, 0);
        Self {
            flags,
            start,
            payload,
        }
    }

    /// Puts the header in front of what was appended since `begin`, and masks it. `key` is used only
    /// when the flags have `KEY`.
    pub fn finish(self, out: &mut Vec<u8>, key: [u8; 4]) {
        let key = masking_key(self.flags, key);
        let len = out.len() - self.payload;
        let (header, header_len) = encode_header(self.flags, len as u64, key);
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
fn masking_key(flags: FrameFlags, key: [u8; 4]) -> [u8; 4] {
    if flags.has(FrameFlags::KEY) {
        key
    } else if flags.has(FrameFlags::MASK) {
        mask::random_key()
    } else {
        [0; 4]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::frame::opcode;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    const TEXT: FrameFlags = FrameFlags::opcode(opcode::TEXT);

    fn framed(payload: &[u8], flags: FrameFlags, key: [u8; 4]) -> Vec<u8> {
        let mut out = Vec::new();
        append_frame(&mut out, payload, flags, key);
        out
    }

    /// The same through [`Frame`], with a wrong or right guess of the length.
    fn framed_in_place(
        payload: &[u8],
        flags: FrameFlags,
        key: [u8; 4],
        expected: usize,
    ) -> Vec<u8> {
        let mut out = b"before".to_vec();
        let frame = Frame::begin(&mut out, flags, expected);
        out.extend_from_slice(payload);
        frame.finish(&mut out, key);
        assert_eq!(out[..6], *b"before");
        out.split_off(6)
    }

    #[test]
    fn examples_of_the_rfc() {
        let text = TEXT | FrameFlags::FIN;
        assert_eq!(framed(b"Hello", text, KEY), b"\x81\x05Hello");
        assert_eq!(
            framed(b"Hello", text | FrameFlags::KEY, KEY),
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
        );
        assert_eq!(framed(b"Hel", TEXT, KEY), b"\x01\x03Hel");
        assert_eq!(framed(b"lo", FrameFlags::FIN, KEY), b"\x80\x02lo");
    }

    #[test]
    fn a_zero_key_leaves_the_payload() {
        let flags = TEXT | FrameFlags::FIN | FrameFlags::KEY;
        assert_eq!(framed(b"Hello", flags, [0; 4]), b"\x81\x85\0\0\0\0Hello");
    }

    #[test]
    fn masks_with_random_keys() {
        let flags = TEXT | FrameFlags::FIN | FrameFlags::MASK;
        let mut seen = Vec::new();
        for _ in 0..8 {
            let mut frame = framed(b"Hello", flags, KEY);
            assert_eq!(frame[..2], *b"\x81\x85");
            let key = [frame[2], frame[3], frame[4], frame[5]];
            mask::apply(key, 0, &mut frame[6..]);
            assert_eq!(frame[6..], *b"Hello");
            seen.push(key);
        }
        seen.dedup();
        assert!(seen.len() > 1);
    }

    #[test]
    fn frames_follow_each_other() {
        let mut out = Vec::new();
        append_frame(&mut out, b"a", TEXT | FrameFlags::FIN, KEY);
        append_frame(
            &mut out,
            b"",
            FrameFlags::opcode(opcode::PING) | FrameFlags::FIN,
            KEY,
        );
        append_frame(&mut out, b"b", TEXT | FrameFlags::FIN, KEY);
        assert_eq!(out, b"\x81\x01a\x89\x00\x81\x01b");
    }

    #[test]
    fn in_place_gives_the_same_whatever_length_was_expected() {
        let lengths = [0, 1, 124, 125, 126, 127, 65535, 65536, 70000];
        for flags in [TEXT | FrameFlags::FIN, TEXT | FrameFlags::KEY] {
            for len in lengths {
                let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let expected = framed(&payload, flags, KEY);
                for guess in lengths {
                    assert_eq!(framed_in_place(&payload, flags, KEY, guess), expected);
                }
            }
        }
    }
}
