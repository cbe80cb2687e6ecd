//! An upgrade response means the same however it is cut, and to httparse.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::handshake::HeadParser;
use oxws_fuzz::{MAX_LINES, parse_head};

fuzz_target!(|input: &[u8]| {
    parse_head(input, HeadParser::response, |head, bytes, length| {
        let mut fields = [httparse::EMPTY_HEADER; MAX_LINES];
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
});
