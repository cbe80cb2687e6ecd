//! An upgrade request means the same however it is cut, and to httparse.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::handshake::HeadParser;
use oxws_fuzz::{MAX_LINES, parse_head};

fuzz_target!(|input: &[u8]| {
    parse_head(input, HeadParser::request, |head, bytes, length| {
        let mut fields = [httparse::EMPTY_HEADER; MAX_LINES];
        let mut request = httparse::Request::new(&mut fields);
        assert_eq!(request.parse(bytes), Ok(httparse::Status::Complete(length)));
        let mut flat = request.path.unwrap_or_default().as_bytes().to_vec();
        for field in request.headers {
            flat.extend([b"\n", field.name.as_bytes(), b"\n", field.value].concat());
        }
        assert_eq!(head.flat(bytes), flat);
    });
});
