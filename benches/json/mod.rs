//! What there is to compress.

use std::fmt::Write;

/// The begin of a list of records as services send them.
pub fn json(len: usize) -> Vec<u8> {
    let mut text = String::from("[");
    for i in 0u32.. {
        if text.len() >= len {
            break;
        }
        let price = i.wrapping_mul(0x9e37_79b1) % 100_000;
        write!(
            text,
            "{{\"id\":{i},\"symbol\":\"OX{}\",\"price\":{price},\"open\":{}}},",
            price % 97,
            price % 2 == 0
        )
        .expect("a string takes everything");
    }
    text.truncate(len);
    text.into_bytes()
}
