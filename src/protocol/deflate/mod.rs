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
/// takes a third of a millisecond. `LONG` of `lib/connection/stream-connection.js` is the same for streams.
pub const POOL_LEN: usize = 32 * 1024;

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

#[cfg(test)]
mod tests;
