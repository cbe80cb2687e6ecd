//! An upgrade request means the same however it is cut, and to httparse.

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
    let parse = |chunks| parse_in_pieces(HeadParser::request(LIMITS), bytes, chunks);
    let outcome = parse(Chunks::Whole);
    assert_eq!(parse(Chunks::Bytes), outcome);
    assert_eq!(parse(Chunks::random(*seed)), outcome);

    let Outcome::Head(head, length) = outcome else {
        return;
    };
    assert!(length <= LIMITS.max_bytes);
    let mut fields = [httparse::EMPTY_HEADER; LIMITS.max_lines];
    let mut request = httparse::Request::new(&mut fields);
    assert_eq!(request.parse(bytes), Ok(httparse::Status::Complete(length)));
    let mut flat = request.path.unwrap_or_default().as_bytes().to_vec();
    for field in request.headers {
        flat.extend([b"\n", field.name.as_bytes(), b"\n", field.value].concat());
    }
    assert_eq!(head.flat(bytes), flat);
});
