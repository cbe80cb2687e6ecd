//! What one end compresses the other end inflates, whatever the parameters.

mod events;

use events::{Event, Events};
use oxws::protocol::deflate::{DeflateParams, InflateParams, Params};
use oxws::protocol::frame::opcode;
use oxws::protocol::{Config, Endpoint, FrameFlags, Limits, Role};
use proptest::collection::vec;
use proptest::prelude::*;

/// Data with little, some and much to gain.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(&["{\"id\":", "true", ",", "name", " ", "ä€𝄞", "0.125"]);
    prop_oneof![
        3 => vec(word, 0..400).prop_map(|words| words.concat().into_bytes()),
        2 => vec(any::<u8>(), 0..1500),
        1 => (any::<u8>(), 0..150_000usize).prop_map(|(byte, len)| vec![byte; len]),
        1 => (any::<u32>(), 0..150_000u32).prop_map(|(seed, len)| {
            (0..len).map(|i| (seed ^ i).wrapping_mul(0x9e37_79b1).leading_zeros() as u8).collect()
        }),
    ]
}

fn params() -> impl Strategy<Value = Params> {
    (8..=15u8, any::<bool>(), -1..=9i8, 1..=9u8, 0..=4u8).prop_map(
        |(window_bits, no_context_takeover, level, mem_level, strategy)| Params {
            deflate: DeflateParams {
                window_bits,
                no_context_takeover,
                level,
                mem_level,
                strategy,
            },
            inflate: InflateParams {
                window_bits,
                no_context_takeover,
            },
        },
    )
}

fn endpoint(role: Role, deflate: Params) -> Endpoint {
    Endpoint::new(Config {
        role,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate: Some(deflate),
    })
}

/// Hands in the bytes in chunks and does the jobs.
fn receive(endpoint: &mut Endpoint, bytes: &[u8], size: usize) -> Vec<Event> {
    let mut events = Events::default();
    for chunk in bytes.to_vec().chunks_mut(size) {
        assert_eq!(endpoint.handle_bytes(chunk, &mut events), Ok(()));
        while let Some(mut job) = endpoint.take_job() {
            job.run();
            assert_eq!(endpoint.finish_job(job, &mut events), Ok(()));
        }
    }
    events.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn messages(
        params in params(),
        payloads in vec((payload(), any::<bool>()), 1..5),
        size in 1..5000usize,
    ) {
        let mut client = endpoint(Role::Client, params);
        let mut out = Vec::new();
        for (payload, is_job) in &payloads {
            let flags = FrameFlags::opcode(opcode::BINARY)
                | FrameFlags::FIN
                | FrameFlags::RSV1
                | FrameFlags::COMPRESS
                | FrameFlags::MASK;
            if *is_job {
                let mut job = client.deflate_job(payload.clone(), flags, [0; 4]).expect("a job");
                job.run();
                out.extend(client.finish_deflate_job(job));
            } else {
                client.frame(&mut out, payload, flags, [0; 4]);
            }
        }
        let events = receive(&mut endpoint(Role::Server, params), &out, size);
        prop_assert_eq!(events.len(), payloads.len());
        for (event, (payload, _)) in events.into_iter().zip(payloads) {
            let bytes = payload;
            prop_assert_eq!(event, Event::Message { is_binary: true, bytes, fragments: vec![] });
        }
    }

    #[test]
    fn fragments(params in params(), parts in vec(payload(), 1..5), repeats in 1..3usize) {
        let mut server = endpoint(Role::Server, params);
        let mut out = Vec::new();
        for _ in 0..repeats {
            for (i, part) in parts.iter().enumerate() {
                let mut flags = FrameFlags::COMPRESS;
                if i == 0 {
                    flags = flags | FrameFlags::opcode(opcode::BINARY) | FrameFlags::RSV1;
                }
                if i == parts.len() - 1 {
                    flags = flags | FrameFlags::FIN;
                }
                server.frame(&mut out, part, flags, [0; 4]);
            }
        }
        let events = receive(&mut endpoint(Role::Client, params), &out, 3000);
        prop_assert_eq!(events.len(), repeats);
        for event in events {
            let Event::Message { bytes, .. } = event else {
                panic!("a message");
            };
            prop_assert_eq!(bytes, parts.concat());
        }
    }
}

#[test]
fn what_is_not_to_be_compressed_is_not() {
    let params = Params {
        deflate: DeflateParams {
            window_bits: 15,
            no_context_takeover: false,
            level: 6,
            mem_level: 8,
            strategy: 0,
        },
        inflate: InflateParams {
            window_bits: 15,
            no_context_takeover: false,
        },
    };
    let mut server = endpoint(Role::Server, params);
    let text = FrameFlags::opcode(opcode::TEXT) | FrameFlags::FIN;
    let mut out = Vec::new();
    server.frame(&mut out, b"Hello", text, [0; 4]);
    assert_eq!(out, b"\x81\x05Hello");
    assert!(
        server
            .deflate_job(b"Hello".to_vec(), text, [0; 4])
            .is_none()
    );
    out.clear();
    server.frame(
        &mut out,
        b"Hello",
        text | FrameFlags::RSV1 | FrameFlags::COMPRESS,
        [0; 4],
    );
    assert_eq!(out, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
}
