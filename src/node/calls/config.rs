//! What an endpoint is made with, as numbers: `configOf()` in `lib/native/endpoint.js` writes them.

use napi::sys;

use crate::node::raw::values::u32_of;
use crate::protocol::deflate::{DeflateParams, InflateParams, Params};
use crate::protocol::{Config, Limits, Role};

/// How many numbers there are.
pub(crate) const LENGTH: usize = 5;

/// The flag of an endpoint that accepted its connection.
const IS_SERVER: u32 = 1;
/// The flag of one that takes text as it is.
const SKIP_UTF8_VALIDATION: u32 = 2;

/// Reads flags, parameters of permessage-deflate, and the limits: bytes of a message, frames of a message, chunks of an
/// unfinished frame.
pub(crate) fn read(env: sys::napi_env, numbers: [sys::napi_value; LENGTH]) -> Config {
    let [
        flags,
        deflate,
        max_payload,
        max_fragments,
        max_buffered_chunks,
    ] = numbers.map(|number| u32_of(env, number));
    Config {
        role: if flags & IS_SERVER != 0 {
            Role::Server
        } else {
            Role::Client
        },
        limits: Limits {
            max_payload: u64::from(max_payload),
            max_fragments,
            max_buffered_chunks,
        },
        skip_utf8_validation: flags & SKIP_UTF8_VALIDATION != 0,
        deflate: params(deflate),
    }
}

/// From the lowest bits on: our window bits (4), level + 1 (4), memory level (4), strategy (3), whether each message is
/// on its own (1); the peer's window bits (4), whether each of its messages is on its own (1). 0 if not negotiated.
fn params(packed: u32) -> Option<Params> {
    let field = |at: u32, bits: u32| (packed >> at & ((1 << bits) - 1)) as u8;
    (packed != 0).then(|| Params {
        deflate: DeflateParams {
            window_bits: field(0, 4),
            level: field(4, 4) as i8 - 1,
            mem_level: field(8, 4),
            strategy: field(12, 3),
            no_context_takeover: field(15, 1) != 0,
        },
        inflate: InflateParams {
            window_bits: field(16, 4),
            no_context_takeover: field(20, 1) != 0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_unpacked() {
        assert_eq!(params(0), None);
        let packed = 15 | 10 << 4 | 9 << 8 | 4 << 12 | 1 << 15 | 8 << 16;
        let expected = Params {
            deflate: DeflateParams {
                window_bits: 15,
                level: 9,
                mem_level: 9,
                strategy: 4,
                no_context_takeover: true,
            },
            inflate: InflateParams {
                window_bits: 8,
                no_context_takeover: false,
            },
        };
        assert_eq!(params(packed), Some(expected));
        assert_eq!(params(1 << 20).map(|p| p.deflate.level), Some(-1));
    }
}
