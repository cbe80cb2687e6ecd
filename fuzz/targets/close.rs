//! A close payload is what would have been written for its code and reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::protocol::Violation;
use oxws::protocol::close::{self, NO_STATUS};

fuzz_target!(|payload: &[u8]| {
    let lenient = close::parse(payload, true);
    let strict = close::parse(payload, false);
    match lenient {
        Ok((NO_STATUS, reason)) => assert!(payload.is_empty() && reason.is_empty()),
        Ok((code, reason)) => {
            assert!(close::is_valid_close_code(code));
            assert_eq!([&code.to_be_bytes(), reason].concat(), payload);
            if std::str::from_utf8(reason).is_err() {
                assert_eq!(strict, Err(Violation::InvalidUtf8));
                return;
            }
        }
        Err(Violation::InvalidCloseCode(code)) => {
            assert!(!close::is_valid_close_code(code));
            assert_eq!(payload[..2], code.to_be_bytes());
        }
        Err(violation) => {
            assert_eq!(violation, Violation::InvalidControlPayloadLength(1));
            assert_eq!(payload.len(), 1);
        }
    }
    assert_eq!(strict, lenient);
});
