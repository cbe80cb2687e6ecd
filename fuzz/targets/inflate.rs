//! A limit on what is inflated changes nothing below it, and above it nothing much is held.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::protocol::Violation;
use oxws::protocol::deflate::{InflateParams, Inflater};

/// What one look at a deflate stream may hold beyond the limit.
const WINDOW: usize = 32 * 1024;

/// The first byte has the window bits, whether contexts are kept, and how many frames the rest is cut into.
fn params(byte: u8) -> InflateParams {
    InflateParams {
        window_bits: 8 + byte % 8,
        no_context_takeover: byte & 0x8 != 0,
    }
}

/// Two messages of the same bytes: the second begins with the context of the first.
fn inflate(params: InflateParams, frames: &[&[u8]], limit: u64) -> Result<Vec<Vec<u8>>, Violation> {
    let mut inflater = Inflater::new(params);
    let mut messages = Vec::new();
    for _ in 0..2 {
        let mut message = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            let fin = i + 1 == frames.len();
            let result = inflater.inflate(frame, fin, limit, &mut message);
            if limit > 0 {
                assert!(message.capacity() <= limit as usize + WINDOW);
            }
            result?;
            assert!(limit == 0 || message.len() as u64 <= limit);
        }
        messages.push(message);
    }
    Ok(messages)
}

fuzz_target!(|input: &[u8]| {
    let [first, low, high, data @ ..] = input else {
        return;
    };
    let params = params(*first);
    let size = data.len().div_ceil(1 + usize::from(first >> 4) % 4).max(1);
    let frames: Vec<&[u8]> = match data {
        [] => vec![data],
        data => data.chunks(size).collect(),
    };
    let limit = u64::from(u16::from_le_bytes([*low, *high])) + 1;

    let unlimited = inflate(params, &frames, 0);
    let limited = inflate(params, &frames, limit);
    match unlimited {
        Ok(messages) if messages.iter().all(|message| message.len() as u64 <= limit) => {
            assert_eq!(limited, Ok(messages));
        }
        Ok(_) => assert_eq!(limited, Err(Violation::UnsupportedMessageLength)),
        // With little room zlib-rs may give a fault another name.
        Err(violation) => assert!(
            matches!(
                limited,
                Err(Violation::Inflate(_) | Violation::UnsupportedMessageLength)
            ),
            "{violation:?} without a limit, {limited:?} with one"
        ),
    }
});
