//! What a peer can do wrong. The close code it earns stands in `lib/errors/protocol-errors.js`.

/// A breach of the protocol or of a limit of ours. It ends the connection.
///
/// `kind` and `detail` cross to JavaScript, where the Error is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A control frame without FIN.
    ExpectedFin,
    /// A frame to a server without a mask.
    ExpectedMask,
    /// A frame to a client with a mask.
    UnexpectedMask,
    /// A close frame with a status code that may not be sent.
    InvalidCloseCode(u16),
    /// A control frame above 125 bytes, or a close frame of one byte. Holds the 7 bits of the length.
    InvalidControlPayloadLength(u8),
    /// A reserved opcode, or one that does not fit the state of fragmentation.
    InvalidOpcode(u8),
    /// Text or a close reason that is not UTF-8.
    InvalidUtf8,
    /// RSV1 where no extension gives it a meaning.
    UnexpectedRsv1,
    /// RSV2 or RSV3: no extension that we know uses them.
    UnexpectedRsv2Or3,
    /// More frames in a message than `Limits::max_fragments`.
    TooManyFragments,
    /// An unfinished frame in more chunks than `Limits::max_buffered_chunks`.
    TooManyBufferedChunks,
    /// A payload length above 2^53 - 1, the largest that JavaScript can count.
    UnsupportedDataPayloadLength,
    /// A message longer than `Limits::max_payload`, on the wire or inflated.
    UnsupportedMessageLength,
    /// A compressed message that is not a deflate stream.
    Inflate(InflateFault),
}

impl Violation {
    /// The number of this kind in the table that makes Errors of it.
    pub fn kind(self) -> u32 {
        match self {
            Self::ExpectedFin => 1,
            Self::ExpectedMask => 2,
            Self::UnexpectedMask => 3,
            Self::InvalidCloseCode(_) => 4,
            Self::InvalidControlPayloadLength(_) => 5,
            Self::InvalidOpcode(_) => 6,
            Self::InvalidUtf8 => 7,
            Self::UnexpectedRsv1 => 8,
            Self::UnexpectedRsv2Or3 => 9,
            Self::TooManyFragments => 10,
            Self::TooManyBufferedChunks => 11,
            Self::UnsupportedDataPayloadLength => 12,
            Self::UnsupportedMessageLength => 13,
            Self::Inflate(_) => 14,
        }
    }

    /// The value the error text names: a close code, a length, an opcode, an index into
    /// [`InflateFault::TEXTS`]; else 0.
    pub fn detail(self) -> u32 {
        match self {
            Self::InvalidCloseCode(code) => u32::from(code),
            Self::InvalidControlPayloadLength(length) => u32::from(length),
            Self::InvalidOpcode(opcode) => u32::from(opcode),
            Self::Inflate(fault) => u32::from(fault.index()),
            _ => 0,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Violation> {
        vec![
            Violation::ExpectedFin,
            Violation::ExpectedMask,
            Violation::UnexpectedMask,
            Violation::InvalidCloseCode(1006),
            Violation::InvalidControlPayloadLength(126),
            Violation::InvalidOpcode(5),
            Violation::InvalidUtf8,
            Violation::UnexpectedRsv1,
            Violation::UnexpectedRsv2Or3,
            Violation::TooManyFragments,
            Violation::TooManyBufferedChunks,
            Violation::UnsupportedDataPayloadLength,
            Violation::UnsupportedMessageLength,
            Violation::Inflate(InflateFault::new(Some("invalid distances set"))),
        ]
    }

    #[test]
    fn kinds_are_numbered_from_one_without_a_gap() {
        let kinds: Vec<u32> = all().into_iter().map(Violation::kind).collect();
        assert_eq!(kinds, (1..=14).collect::<Vec<u32>>());
    }

    #[test]
    fn details_are_what_the_texts_name() {
        let details: Vec<u32> = all().into_iter().map(Violation::detail).collect();
        assert_eq!(details, [0, 0, 0, 1006, 126, 5, 0, 0, 0, 0, 0, 0, 0, 7]);
    }

    #[test]
    fn stays_small() {
        assert!(size_of::<Result<(), Violation>>() <= 4);
    }
}
