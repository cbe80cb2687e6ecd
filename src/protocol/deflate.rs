//! permessage-deflate (RFC 7692).

/// The negotiated parameters of a connection and how to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// The server compresses each message on its own.
    pub server_no_context_takeover: bool,
    /// The client compresses each message on its own.
    pub client_no_context_takeover: bool,
    /// Base-2 logarithm of the server's window, 8 to 15.
    pub server_max_window_bits: u8,
    /// Base-2 logarithm of the client's window, 8 to 15.
    pub client_max_window_bits: u8,
    /// Messages of fewer bytes are not compressed if no context is carried over.
    pub threshold: u64,
    /// zlib's compression level, -1 (default) to 9.
    pub level: i8,
    /// zlib's memory level, 1 to 9.
    pub mem_level: u8,
    /// zlib's strategy, 0 to 4.
    pub strategy: u8,
}

/// Why a compressed message could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateFault(u8);

impl InflateFault {
    /// zlib's texts for what can be wrong with a raw deflate stream. The last one stands for all others.
    pub const TEXTS: [&str; 12] = [
        "invalid block type",
        "invalid stored block lengths",
        "too many length or distance symbols",
        "invalid code lengths set",
        "invalid bit length repeat",
        "invalid code -- missing end-of-block",
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
