//! However a stream is cut, and wherever it is inflated, it gives the same events and the same end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use oxws::protocol::close::{NO_STATUS, is_valid_close_code};
use oxws::protocol::deflate::{DeflateParams, InflateParams, Params};
use oxws::protocol::{Config, Endpoint, Limits, Role};
use oxws_fuzz::{Chunks, Event, receive};

fn config([flags, window, payload, fragments]: [u8; 4]) -> Config {
    let window_bits = 8 + window % 8;
    let no_context_takeover = window & 0x8 != 0;
    Config {
        role: if flags & 1 == 0 {
            Role::Server
        } else {
            Role::Client
        },
        limits: Limits {
            max_payload: u64::from(payload) * u64::from(payload),
            max_fragments: u32::from(fragments),
            max_buffered_chunks: 0,
        },
        skip_utf8_validation: flags & 2 != 0,
        deflate: (flags & 4 != 0).then_some(Params {
            deflate: DeflateParams {
                window_bits,
                no_context_takeover,
                level: 1,
                mem_level: 1,
                strategy: 0,
            },
            inflate: InflateParams {
                window_bits,
                no_context_takeover,
            },
        }),
    }
}

fn check(event: &Event, config: &Config) {
    match event {
        Event::Message {
            is_binary,
            bytes,
            fragments,
        } => {
            let most = config.limits.max_payload;
            assert!(most == 0 || bytes.len() as u64 <= most);
            assert!(
                *is_binary || config.skip_utf8_validation || std::str::from_utf8(bytes).is_ok()
            );
            let sum: usize = fragments.iter().map(|length| *length as usize).sum();
            assert!(fragments.is_empty() || fragments.len() > 1 && sum == bytes.len());
            let most = config.limits.max_fragments as usize;
            assert!(most == 0 || fragments.len() <= most);
        }
        Event::Ping(bytes) | Event::Pong(bytes) => assert!(bytes.len() <= 125),
        Event::Close(code, reason) => {
            assert!(*code == NO_STATUS || is_valid_close_code(*code));
            assert!(reason.len() <= 123);
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((settings, [seed, stream @ ..])) = input.split_first_chunk() else {
        return;
    };
    let config = config(*settings);
    let (events, violation) = receive(Endpoint::new(config), stream, Chunks::Whole);
    for event in &events.0 {
        check(event, &config);
    }
    let whole = (events, violation);
    for chunks in [Chunks::Bytes, Chunks::random(*seed)] {
        assert_eq!(receive(Endpoint::new(config), stream, chunks), whole);
    }
    if config.deflate.is_some() {
        let mut endpoint = Endpoint::new(config);
        endpoint.defer_inflation();
        assert_eq!(receive(endpoint, stream, Chunks::random(*seed)), whole);
    }

    // Patience with small pieces ends somewhere, and nothing else changes.
    let impatient = Config {
        limits: Limits {
            max_buffered_chunks: 1 + u32::from(seed % 16),
            ..config.limits
        },
        ..config
    };
    let (events, _) = receive(Endpoint::new(impatient), stream, Chunks::Bytes);
    assert!(whole.0.0.starts_with(&events.0));
});
