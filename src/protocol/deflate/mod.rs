//! permessage-deflate (RFC 7692): the compression contexts of a connection.

mod context_pool;
mod deflater;
mod inflater;

pub use deflater::{DeflateJob, Deflater};
pub use inflater::Inflater;

/// What sync-flushing a compressor ends with. It is the same for every message, so it is not sent.
///
/// > Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// From this length on a message is better compressed on another thread: at zlib's default level it
/// takes a third of a millisecond.
pub const JOB_LEN: usize = 32 * 1024;

/// The negotiated parameters of a connection, as this end of it sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// How this end compresses.
    pub deflate: DeflateParams,
    /// How the other end compresses.
    pub inflate: InflateParams,
}

/// How to compress. The numbers are those of zlib's `deflateInit2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeflateParams {
    /// Base-2 logarithm of the window, 8 to 15.
    pub window_bits: u8,
    /// Compress each message on its own.
    pub no_context_takeover: bool,
    /// -1 (zlib's default) to 9.
    pub level: i8,
    /// 1 to 9.
    pub mem_level: u8,
    /// 0 to 4.
    pub strategy: u8,
}

/// How the peer compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateParams {
    /// Base-2 logarithm of the window, 8 to 15.
    pub window_bits: u8,
    /// Each message was compressed on its own.
    pub no_context_takeover: bool,
}

/// Why a compressed message could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateFault(u8);

impl InflateFault {
    /// zlib's texts for what can be wrong with a raw deflate stream; the last one is Node's for
    /// everything else.
    pub const TEXTS: [&str; 12] = [
        "invalid block type",
        "invalid stored block lengths",
        "too many length or distance symbols",
        "invalid code lengths set",
        "invalid bit length repeat",
        "invalid code -- remaining end-of-block",
        "invalid literal/lengths set",
        "invalid distances set",
        "invalid literal/length code",
        "invalid distance code",
        "invalid distance too far back",
        "Zlib error",
    ];

    /// The fault of which zlib says `text`.
    pub fn new(text: Option<&str>) -> Self {
        let known = &Self::TEXTS[..Self::TEXTS.len() - 1];
        let index = known.iter().position(|&known| Some(known) == text);
        Self(index.unwrap_or(known.len()) as u8)
    }

    /// Where its text stands in [`TEXTS`](Self::TEXTS).
    pub fn index(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests;
