//! What one end frames the other end receives.

mod events;

use events::{Event, Events};
use oxws::protocol::frame::opcode;
use oxws::protocol::sender::{self, Frame};
use oxws::protocol::{Config, Endpoint, FrameFlags, Limits, Role};
use proptest::collection::vec;
use proptest::prelude::*;

fn endpoint(role: Role) -> Endpoint {
    Endpoint::new(Config {
        role,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate: None,
    })
}

/// What the other end makes of bytes that begin at `offset` of an allocation.
fn received(role: Role, bytes: &[u8], offset: usize) -> Vec<Event> {
    let mut events = Events::default();
    let mut buffer = [vec![0; offset], bytes.to_vec()].concat();
    let result = endpoint(role).handle_bytes(&mut buffer[offset..], &mut events);
    assert_eq!(result, Ok(()));
    events.0
}

fn binary(bytes: &[u8]) -> Event {
    Event::Message {
        is_binary: true,
        bytes: bytes.to_vec(),
        fragments: Vec::new(),
    }
}

#[test]
fn at_every_alignment() {
    let payload: Vec<u8> = (0..300).map(|i| (i * 31) as u8).collect();
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN | FrameFlags::MASK;
    for offset in 0..64 {
        for len in [0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 125, 126, 300] {
            let mut out = Vec::new();
            endpoint(Role::Client).frame(&mut out, &payload[..len], flags, [0; 4]);
            assert_eq!(
                received(Role::Server, &out, offset),
                [binary(&payload[..len])]
            );
        }
    }
}

/// Short, or long enough for a 64-bit length.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => vec(any::<u8>(), 0..500),
        1 => any::<u8>().prop_map(|first| (0..66_000).map(|i| first ^ i as u8).collect()),
    ]
}

proptest! {
    #[test]
    fn messages(
        payloads in vec(payload(), 1..4),
        key in any::<[u8; 4]>(),
        in_place in any::<bool>(),
    ) {
        let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
        for (to, flags) in [(Role::Server, flags | FrameFlags::KEY), (Role::Server, flags | FrameFlags::MASK), (Role::Client, flags)] {
            let mut out = Vec::new();
            for payload in &payloads {
                if in_place {
                    let frame = Frame::begin(&mut out, flags, payload.len() / 2);
                    out.extend_from_slice(payload);
                    frame.finish(&mut out, key);
                } else {
                    sender::append_frame(&mut out, payload, flags, key);
                }
            }
            let expected: Vec<Event> = payloads.iter().map(|payload| binary(payload)).collect();
            prop_assert_eq!(received(to, &out, 0), expected);
        }
    }

    #[test]
    fn fragments(parts in vec(vec(any::<u8>(), 1..300), 2..6)) {
        let mut out = Vec::new();
        let mut sender = endpoint(Role::Client);
        for (i, part) in parts.iter().enumerate() {
            let mut flags = FrameFlags::MASK;
            if i == 0 {
                flags = flags | FrameFlags::opcode(opcode::BINARY);
            }
            if i == parts.len() - 1 {
                flags = flags | FrameFlags::FIN;
            }
            sender.frame(&mut out, part, flags, [0; 4]);
            sender.frame(&mut out, b"still there?", FrameFlags::MASK | FrameFlags::FIN | FrameFlags::opcode(opcode::PING), [0; 4]);
        }
        let mut events = received(Role::Server, &out, 0);
        events.retain(|event| *event != Event::Ping(b"still there?".to_vec()));
        let expected = Event::Message {
            is_binary: true,
            bytes: parts.concat(),
            fragments: parts.iter().map(|part| part.len() as u32).collect(),
        };
        prop_assert_eq!(events, [expected]);
    }
}
