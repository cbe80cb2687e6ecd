//! What the bytes that a connection reads are taken for.

use crate::handshake::{HeadLimits, HeadParser};
use crate::protocol::Endpoint;

/// What the bytes are.
pub(super) enum Phase {
    /// None can come yet.
    Connecting(HeadLimits),
    /// A request or a response.
    Head {
        parser: Box<HeadParser>,
        bytes: Vec<u8>,
    },
    /// JavaScript decides what comes next; the bytes are for that, but for the first `passed`, which it has. `together`
    /// of them were read as one. JavaScript may know that no more are read.
    Parked {
        bytes: Vec<u8>,
        passed: usize,
        together: usize,
        reported_stop: bool,
    },
    /// JavaScript's as they are.
    Passthrough(Vec<u8>),
    /// Frames. Those that came early wait, in the chunks in which they were read.
    Open {
        endpoint: Box<Endpoint>,
        early: Vec<Vec<u8>>,
    },
}

impl Phase {
    pub(super) fn request(limits: HeadLimits) -> Self {
        Self::head(HeadParser::request(limits))
    }

    pub(super) fn response(limits: HeadLimits) -> Self {
        Self::head(HeadParser::response(limits))
    }

    pub(super) fn parked(bytes: Vec<u8>) -> Self {
        Self::Parked {
            bytes,
            passed: 0,
            together: 0,
            reported_stop: false,
        }
    }

    /// JavaScript has the first `passed` of the bytes; what is after them was read together with them.
    pub(super) fn parked_behind(bytes: Vec<u8>, passed: usize) -> Self {
        let together = bytes.len();
        Self::Parked {
            bytes,
            passed,
            together,
            reported_stop: false,
        }
    }

    fn head(parser: HeadParser) -> Self {
        Self::Head {
            parser: Box::new(parser),
            bytes: Vec::new(),
        }
    }
}
