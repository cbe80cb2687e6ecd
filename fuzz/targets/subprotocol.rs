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
    assert!(names.iter().all(|name| syntax::is_token(name)));
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    assert_eq!(subprotocol::parse(&names.join(" , ")), Ok(names));
});
