//! An upgrade response means the same however it is cut, and to httparse.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::handshake::{HeadLimits, HeadParser, Outcome};
use oxws_fuzz::{Chunks, parse_in_pieces};

const LIMITS: HeadLimits = HeadLimits {
    max_bytes: 2048,
    max_lines: 40,
};

fuzz_target!(|input: &[u8]| {
    let Some((seed, bytes)) = input.split_first() else {
        return;
    };
    let parse = |chunks| parse_in_pieces(HeadParser::response(LIMITS), bytes, chunks);
    let outcome = parse(Chunks::Whole);
    assert_eq!(parse(Chunks::Bytes), outcome);
    assert_eq!(parse(Chunks::random(*seed)), outcome);

    let Outcome::Head(head, length) = outcome else {
        return;
    };
    assert!(length <= LIMITS.max_bytes);
    let mut fields = [httparse::EMPTY_HEADER; LIMITS.max_lines];
    let mut response = httparse::Response::new(&mut fields);
    assert_eq!(
        response.parse(bytes),
        Ok(httparse::Status::Complete(length))
    );
    assert_eq!(response.code, Some(101));
    let flat = head.flat(bytes);
    let mut parts = flat.split(|byte| *byte == b'\n').skip(1);
    for field in response.headers {
        assert_eq!(parts.next(), Some(field.name.as_bytes()));
        assert_eq!(parts.next(), Some(field.value));
    }
    assert_eq!(parts.next(), None);
});
