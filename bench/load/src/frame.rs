//! Frames (RFC 6455, section 5.2).

use crate::Failure;

/// FIN and an opcode: the first byte of the frames used here.
pub const TEXT: u8 = 0x81;
/// As above.
pub const BINARY: u8 = 0x82;
/// As above.
pub const CLOSE: u8 = 0x88;
/// As above.
pub const PING: u8 = 0x89;
/// As above.
pub const PONG: u8 = 0x8a;
/// The flag of a compressed message.
pub const RSV1: u8 = 0x40;

/// The key of all our frames: the same work for a server as any other one, and none for us.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Appends a frame, masked if there is a key.
pub fn push(out: &mut Vec<u8>, first: u8, payload: &[u8], key: Option<[u8; 4]>) {
    push_header(out, first, payload.len(), key);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask(&mut out[start..], key);
    }
}

/// Appends the header of a frame with `length` bytes of payload.
pub fn push_header(out: &mut Vec<u8>, first: u8, length: usize, key: Option<[u8; 4]>) {
    let flag = if key.is_some() { 0x80 } else { 0 };
    out.push(first);
    match length {
        0..126 => out.push(flag | length as u8),
        126..0x1_0000 => {
            out.push(flag | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(flag | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key.unwrap_or_default()[..if key.is_some() { 4 } else { 0 }]);
}

/// Masks, or unmasks, in place.
pub fn mask(bytes: &mut [u8], key: [u8; 4]) {
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The first byte: FIN, RSV1 to RSV3, opcode.
    pub first: u8,
    /// Bytes of the header itself.
    pub size: usize,
    /// Bytes of payload.
    pub length: usize,
    /// The masking key.
    pub key: Option<[u8; 4]>,
}

impl Header {
    /// The header at the start of `bytes`; `None` until it is complete.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, ..] = *bytes else {
            return None;
        };
        let (length, start) = match second & 0x7f {
            126 => (
                u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
                4,
            ),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            length => (u64::from(length), 2),
        };
        let key = if second & 0x80 == 0 {
            None
        } else {
            Some(*bytes.get(start..)?.first_chunk()?)
        };
        Some(Self {
            first,
            size: start + if key.is_some() { 4 } else { 0 },
            length: length as usize,
            key,
        })
    }
}

/// Frames that come in pieces.
#[derive(Default)]
pub struct Frames {
    pending: Vec<u8>,
}

impl Frames {
    /// Takes bytes, and shows `check` the header and the payload of each frame that they end. Returns how many these are.
    pub fn take(
        &mut self,
        bytes: &[u8],
        mut check: impl FnMut(Header, &[u8]) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        self.pending.extend_from_slice(bytes);
        let mut start = 0;
        let mut ended = 0;
        while let Some(header) = Header::parse(&self.pending[start..])
            && let payload = start + header.size
            && let Some(payload) = self.pending.get(payload..payload + header.length)
        {
            check(header, payload)?;
            start += header.size + header.length;
            ended += 1;
        }
        self.pending.drain(..start);
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_parsed() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            for key in [None, Some(KEY)] {
                let payload: Vec<u8> = (0..length).map(|index| index as u8).collect();
                let mut frame = Vec::new();
                push(&mut frame, BINARY, &payload, key);
                let header = Header::parse(&frame).unwrap();
                assert_eq!(
                    (header.first, header.length, header.key),
                    (BINARY, length, key)
                );
                assert_eq!(Header::parse(&frame[..header.size - 1]), None);
                if let Some(key) = key {
                    mask(&mut frame[header.size..], key);
                }
                assert_eq!(&frame[header.size..], payload);
            }
        }
    }
}
