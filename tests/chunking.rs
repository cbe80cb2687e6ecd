//! However a stream is cut into chunks, it gives the same events and the same end.

mod events;

use events::Events;
use oxws::protocol::{Bits, Limits, Receiver, Role, Violation, sender};
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
            let mut bits = Bits::from(u32::from(first));
            if is_masked {
                bits = bits | Bits::KEY;
            }
            let mut out = Vec::new();
            sender::append_frame(&mut out, &payload, bits, key);
            out
        })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(frame(), 1..8).prop_map(|frames| frames.concat()),
        1 => vec(any::<u8>(), 0..300),
    ]
}

fn receiver() -> impl Strategy<Value = (Role, Limits, bool)> {
    let max_payload = prop_oneof![Just(0), 0..400u64];
    let max_fragments = prop_oneof![Just(0), 0..4u32];
    let role = prop_oneof![9 => Just(Role::Server), 1 => Just(Role::Client)];
    (role, max_payload, max_fragments, any::<bool>()).prop_map(
        |(role, max_payload, max_fragments, skip_utf8_validation)| {
            let limits = Limits {
                max_payload,
                max_fragments,
                max_buffered_chunks: 0,
            };
            (role, limits, skip_utf8_validation)
        },
    )
}

/// What the stream gives when its chunks have these lengths, over and over.
fn run(
    (role, limits, skip_utf8_validation): (Role, Limits, bool),
    stream: &[u8],
    lengths: &[usize],
) -> (Events, Option<Violation>) {
    let mut receiver = Receiver::new(role, limits, skip_utf8_validation, None);
    let mut events = Events::default();
    let mut violation = None;
    let mut lengths = lengths.iter().cycle();
    let mut bytes = stream.to_vec();
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let len = lengths.next().map_or(1, |len| *len).min(rest.len());
        let (chunk, tail) = rest.split_at_mut(len);
        if let Err(first) = receiver.handle_bytes(chunk, &mut events) {
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
        setup in receiver(),
        stream in stream(),
        lengths in vec(1..40usize, 1..20),
    ) {
        let whole = run(setup, &stream, &[stream.len().max(1)]);
        prop_assert_eq!(&run(setup, &stream, &lengths), &whole);
        prop_assert_eq!(&run(setup, &stream, &[1]), &whole);
    }
}
