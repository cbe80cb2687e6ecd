//! Heads that arrive in pieces.

use oxws::handshake::{HeadParser, Outcome};

use crate::Chunks;

/// What the head is in the end: more bytes change nothing. How it is cut does not either.
pub fn parse_in_pieces(mut parser: HeadParser, bytes: &[u8], mut chunks: Chunks) -> Outcome {
    let mut length = 0;
    while length < bytes.len() {
        length += chunks.next(bytes.len() - length);
        match parser.parse(&bytes[..length]) {
            Outcome::Incomplete => {}
            outcome => {
                // Spent.
                assert_eq!(parser.parse(bytes), Outcome::Foreign);
                return outcome;
            }
        }
    }
    Outcome::Incomplete
}
