//! What `Sec-WebSocket-Protocol` offers are distinct tokens.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use oxws::handshake::{subprotocol, syntax};

fuzz_target!(|bytes: &[u8]| {
    // Node gives header fields as Latin-1.
    let header: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let Ok(names) = subprotocol::parse(&header) else {
        return;
    };
    let is_token = |name: &String| !name.is_empty() && name.bytes().all(syntax::is_token_byte);
    assert!(names.iter().all(is_token));
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    assert_eq!(subprotocol::parse(&names.join(" , ")), Ok(names));
});
