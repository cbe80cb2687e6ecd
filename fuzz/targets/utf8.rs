//! Text that arrives in pieces fails at the first piece that nothing can mend.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::protocol::utf8::{self, Utf8Validator};
use oxws_fuzz::Chunks;

fuzz_target!(|input: &[u8]| {
    let Some((seed, text)) = input.split_first() else {
        return;
    };
    assert_eq!(utf8::is_valid(text), std::str::from_utf8(text).is_ok());
    for mut chunks in [Chunks::Whole, Chunks::Bytes, Chunks::random(*seed)] {
        let mut validator = Utf8Validator::default();
        let mut end = 0;
        while end < text.len() {
            let start = end;
            end += chunks.next(text.len() - end);
            let is_alive = validator.push(&text[start..end]);
            let known = std::str::from_utf8(&text[..end]);
            let is_broken = known.is_err_and(|error| error.error_len().is_some());
            assert_eq!(is_alive, !is_broken, "at {end}");
            if is_broken {
                break;
            }
            assert_eq!(validator.is_complete(), known.is_ok(), "at {end}");
        }
    }
});
