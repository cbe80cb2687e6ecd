//! Heads that arrive in pieces.

use oxws::handshake::{Head, HeadLimits, HeadParser, Parsed};

use crate::Chunks;

/// More lines than this are no head.
pub const MAX_LINES: usize = 40;

const LIMITS: HeadLimits = HeadLimits {
    max_bytes: 2048,
    max_lines: MAX_LINES,
};

/// Asserts that the input, but for its first byte, means the same however it is cut. A head, with its bytes and length,
/// is `check`'s.
pub fn parse_head(
    input: &[u8],
    parser: impl Fn(HeadLimits) -> HeadParser,
    check: impl FnOnce(Head, &[u8], usize),
) {
    let Some((seed, bytes)) = input.split_first() else {
        return;
    };
    let parse = |chunks| parse_in_pieces(parser(LIMITS), bytes, chunks);
    let outcome = parse(Chunks::Whole);
    assert_eq!(parse(Chunks::Bytes), outcome);
    assert_eq!(parse(Chunks::random(*seed)), outcome);

    if let Parsed::Head(head, length) = outcome {
        assert!(length <= LIMITS.max_bytes);
        check(head, bytes, length);
    }
}

/// What the head is in the end: more bytes change nothing. How it is cut does not either.
fn parse_in_pieces(mut parser: HeadParser, bytes: &[u8], mut chunks: Chunks) -> Parsed {
    let mut length = 0;
    while length < bytes.len() {
        length += chunks.next(bytes.len() - length);
        match parser.parse(&bytes[..length]) {
            Parsed::Incomplete => {}
            outcome => {
                // Spent.
                assert_eq!(parser.parse(bytes), Parsed::NotAnUpgrade);
                return outcome;
            }
        }
    }
    Parsed::Incomplete
}
