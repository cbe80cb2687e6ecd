//! However a stream is cut into chunks, it gives the same events and the same end.

mod events;

use events::Events;
use oxws::protocol::deflate::{DeflateParams, Deflater, InflateParams, Inflater};
use oxws::protocol::{FrameFlags, Limits, Receiver, Role, Violation, sender};
use proptest::collection::vec;
use proptest::prelude::*;

/// Pieces of text that go together well and badly.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        8 => Just(&b"plain"[..]),
        4 => Just("ä€𝄞".as_bytes()),
        1 => Just(&b"\xc3"[..]),
        1 => Just(&b"\xa4"[..]),
        1 => Just(&b"\xf0\x9d"[..]),
        1 => Just(&b"\xed\xa0"[..]),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// A first byte: mostly what a peer would send, now and then anything.
fn first_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        12 => prop::sample::select(&[0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x00, 0x80]),
        1 => Just(0x88),
        1 => any::<u8>(),
    ]
}

/// The payload of a compressed message, or something like it.
fn deflated() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        8 => text(),
        1 => Just(vec![b'a'; 200_000]),
    ];
    let flaw = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    (data, any::<bool>(), flaw).prop_map(|(data, fin, flaw)| {
        let mut deflater = Deflater::new(DeflateParams {
            window_bits: 15,
            no_context_takeover: true,
            level: 6,
            mem_level: 8,
            strategy: 0,
        });
        let mut payload = Vec::new();
        deflater.compress(&data, fin, &mut payload);
        if let Some((index, byte)) = flaw {
            *index.get_mut(&mut payload) ^= byte;
        }
        payload
    })
}

fn compressed_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(&[0xc1, 0xc2, 0x41, 0x42, 0x80, 0x00]);
    (first, deflated(), any::<[u8; 4]>()).prop_map(|(first, payload, key)| {
        let mut out = Vec::new();
        let flags = FrameFlags::from(first) | FrameFlags::KEY;
        sender::append_frame(&mut out, &payload, flags, key);
        out
    })
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        20 => text(),
        10 => vec(any::<u8>(), 0..200),
        5 => Just(b"\x03\xe8bye".to_vec()),
        1 => Just(vec![b'a'; 66_000]),
    ];
    (
        first_byte(),
        payload,
        any::<[u8; 4]>(),
        prop::bool::weighted(0.97),
    )
        .prop_map(|(first, payload, key, is_masked)| {
            let mut flags = FrameFlags::from(u32::from(first));
            if is_masked {
                flags = flags | FrameFlags::KEY;
            }
            let mut out = Vec::new();
            sender::append_frame(&mut out, &payload, flags, key);
            out
        })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(frame(), 1..8).prop_map(|frames| frames.concat()),
        3 => vec(prop_oneof![frame(), compressed_frame()], 1..8)
            .prop_map(|frames| frames.concat()),
        1 => vec(any::<u8>(), 0..300),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    role: Role,
    limits: Limits,
    skip_utf8_validation: bool,
    inflate: Option<InflateParams>,
}

fn setup() -> impl Strategy<Value = Setup> {
    let role = prop_oneof![9 => Just(Role::Server), 1 => Just(Role::Client)];
    let max_payload = prop_oneof![Just(0), 0..400u64];
    let max_fragments = prop_oneof![Just(0), 0..4u32];
    let inflate = any::<Option<bool>>().prop_map(|no_context_takeover| {
        no_context_takeover.map(|no_context_takeover| InflateParams {
            window_bits: 15,
            no_context_takeover,
        })
    });
    (role, max_payload, max_fragments, any::<bool>(), inflate).prop_map(
        |(role, max_payload, max_fragments, skip_utf8_validation, inflate)| Setup {
            role,
            limits: Limits {
                max_payload,
                max_fragments,
                max_buffered_chunks: 0,
            },
            skip_utf8_validation,
            inflate,
        },
    )
}

/// What the stream gives when its chunks have these lengths, over and over.
fn run(setup: Setup, stream: &[u8], lengths: &[usize]) -> (Events, Option<Violation>) {
    let mut receiver = Receiver::new(
        setup.role,
        setup.limits,
        setup.skip_utf8_validation,
        setup.inflate.map(Inflater::new),
    );
    let mut events = Events::default();
    let mut violation = None;
    let mut lengths = lengths.iter().cycle();
    let mut bytes = stream.to_vec();
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let len = lengths.next().map_or(1, |len| *len).min(rest.len());
        let (chunk, tail) = rest.split_at_mut(len);
        let mut result = receiver.handle_bytes(chunk, &mut events);
        while let Some(job) = receiver.take_job() {
            result = receiver.finish_job(job, &mut events);
        }
        if let Err(first) = result {
            assert_eq!(violation.replace(first), None, "one violation at most");
        }
        rest = tail;
    }
    (events, violation)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_chunking_gives_the_same(
        setup in setup(),
        stream in stream(),
        lengths in vec(1..40usize, 1..20),
    ) {
        let whole = run(setup, &stream, &[stream.len().max(1)]);
        prop_assert_eq!(&run(setup, &stream, &lengths), &whole);
        prop_assert_eq!(&run(setup, &stream, &[1]), &whole);
    }
}
