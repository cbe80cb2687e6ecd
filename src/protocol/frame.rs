//! The frame header (RFC 6455, section 5.2).

use std::ops::BitOr;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::OpCode;

/// Opcodes: the low four bits of a frame's first byte.
pub mod opcode {
    /// A further frame of a fragmented message.
    pub const CONTINUATION: u8 = 0x0;
    /// A text message or its first frame.
    pub const TEXT: u8 = 0x1;
    /// A binary message or its first frame.
    pub const BINARY: u8 = 0x2;
    /// The end of one direction.
    pub const CLOSE: u8 = 0x8;
    /// To be answered with a pong.
    pub const PING: u8 = 0x9;
    /// Answers a ping.
    pub const PONG: u8 = 0xa;
}

/// > All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// Two bytes, a 64-bit length, a key.
pub const MAX_HEADER_LEN: usize = 14;

/// How a frame is to be sent: one number, as it crosses from JavaScript. The low byte is the first
/// byte of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameFlags(u32);

impl FrameFlags {
    /// The last frame of its message.
    pub const FIN: Self = Self(0x80);
    /// The message is compressed; belongs on its first frame.
    pub const RSV1: Self = Self(0x40);
    /// Mask the payload with a random key.
    pub const MASK: Self = Self(0x100);
    /// Compress the payload.
    pub const COMPRESS: Self = Self(0x200);
    /// Mask the payload with a given key.
    pub const KEY: Self = Self(0x400);

    /// The flags of a frame with this opcode and nothing else set.
    pub const fn opcode(opcode: u8) -> Self {
        Self(opcode as u32)
    }

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the frame carries a key.
    pub const fn is_masked(self) -> bool {
        self.has(Self(Self::MASK.0 | Self::KEY.0))
    }

    /// Whether it is a close frame.
    pub const fn is_close(self) -> bool {
        self.0 & 0x0f == opcode::CLOSE as u32
    }

    /// The first byte of the frame.
    pub const fn first_byte(self) -> u8 {
        self.0 as u8
    }
}

impl From<u32> for FrameFlags {
    fn from(flags: u32) -> Self {
        Self(flags)
    }
}

impl BitOr for FrameFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The length of the header of a frame with `len` bytes of payload.
pub(super) fn header_len(flags: FrameFlags, len: u64) -> usize {
    header(flags, [0; 4]).len(len)
}

/// The header of a frame with `len` bytes of payload, and how many of the 14 bytes it has. `key` is
/// written if the flags ask for masking.
pub fn encode_header(flags: FrameFlags, len: u64, key: [u8; 4]) -> ([u8; MAX_HEADER_LEN], usize) {
    let header = header(flags, key);
    let mut bytes = [0; MAX_HEADER_LEN];
    header
        .format(len, &mut &mut bytes[..])
        .expect("no header is longer than 14 bytes");
    (bytes, header.len(len))
}

fn header(flags: FrameFlags, key: [u8; 4]) -> FrameHeader {
    let first = flags.first_byte();
    FrameHeader {
        is_final: first & 0x80 != 0,
        rsv1: first & 0x40 != 0,
        rsv2: first & 0x20 != 0,
        rsv3: first & 0x10 != 0,
        opcode: OpCode::from(first & 0xf),
        mask: flags.is_masked().then_some(key),
    }
}

/// The payload length in a header of at least two bytes and where it ends; nothing if it is not all
/// there. (tungstenite's parser would say nothing before the key is there, too.)
pub(super) fn decode_length(header: &[u8]) -> Option<(u64, usize)> {
    match header[1] & 0x7f {
        126 => {
            let length = header[2..].first_chunk()?;
            Some((u64::from(u16::from_be_bytes(*length)), 4))
        }
        127 => {
            let length = header[2..].first_chunk()?;
            Some((u64::from_be_bytes(*length), 10))
        }
        length => Some((u64::from(length), 2)),
    }
}

/// Where the field begins that an incomplete header ends in: the first two bytes, the extended length,
/// or the key.
pub(super) fn last_field(header: &[u8]) -> usize {
    if header.len() < 2 {
        return 0;
    }
    decode_length(header).map_or(2, |(_, end)| end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [1, 2, 3, 4];
    const LENGTHS: [u64; 9] = [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0xffff_ffff, 1 << 53];

    fn encode(flags: FrameFlags, len: u64) -> Vec<u8> {
        let (header, end) = encode_header(flags, len, KEY);
        header[..end].to_vec()
    }

    #[test]
    fn headers() {
        let text = FrameFlags::opcode(opcode::TEXT) | FrameFlags::FIN;
        assert_eq!(encode(text, 5), b"\x81\x05");
        assert_eq!(
            encode(text | FrameFlags::MASK, 5),
            b"\x81\x85\x01\x02\x03\x04"
        );
        assert_eq!(
            encode(text | FrameFlags::KEY, 5),
            b"\x81\x85\x01\x02\x03\x04"
        );
        assert_eq!(encode(text | FrameFlags::RSV1, 126), b"\xc1\x7e\x00\x7e");
        assert_eq!(
            encode(FrameFlags::opcode(opcode::CONTINUATION), 65536),
            b"\x00\x7f\x00\x00\x00\x00\x00\x01\x00\x00"
        );
        assert_eq!(
            encode(
                FrameFlags::opcode(opcode::PONG) | FrameFlags::FIN | FrameFlags::COMPRESS,
                0
            ),
            b"\x8a\x00"
        );
    }

    #[test]
    fn any_first_byte_with_any_length() {
        for first in 0..=0xff {
            for mask in [FrameFlags::from(0), FrameFlags::MASK] {
                for len in LENGTHS {
                    let flags = FrameFlags::from(u32::from(first)) | mask;
                    let header = encode(flags, len);
                    assert_eq!(header_len(flags, len), header.len());
                    assert_eq!(header[0], first);
                    let (decoded, end) = decode_length(&header).expect("a length");
                    assert_eq!(decoded, len);
                    let key: &[u8] = if flags.is_masked() { &KEY } else { &[] };
                    assert_eq!(&header[end..], key);
                }
            }
        }
    }

    #[test]
    fn fields_of_incomplete_headers() {
        assert_eq!(last_field(b"\x81"), 0);
        assert_eq!(last_field(b"\x81\x85"), 2);
        assert_eq!(last_field(b"\x81\x85\x01\x02\x03"), 2);
        assert_eq!(last_field(b"\x81\xfe\x01"), 2);
        assert_eq!(last_field(b"\x81\xfe\x01\x00"), 4);
        assert_eq!(last_field(b"\x81\xff\x00\x00\x00\x00\x00\x01\x00"), 2);
        assert_eq!(
            last_field(b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x09"),
            10
        );
    }
}
