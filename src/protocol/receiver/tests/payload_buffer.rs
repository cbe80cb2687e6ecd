use super::*;
use crate::protocol::frame::{FrameFlags, opcode};
use crate::protocol::receiver::payload_buffer::{MAX_PAYLOAD_BUFFER, MIN_PAYLOAD_BUFFER};
use crate::protocol::sender::append_frame;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Frames as a client sends them.
fn frames(list: &[(u8, bool, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (opcode, fin, payload) in list {
        let fin = if *fin {
            FrameFlags::FIN
        } else {
            FrameFlags::from(0)
        };
        append_frame(
            &mut out,
            payload,
            FrameFlags::opcode(*opcode) | fin | FrameFlags::KEY,
            KEY,
        );
    }
    out
}

/// What `bytes` give when at most `step` of them are there for a read, which goes where they belong. Also returns how
/// many were read there.
fn run_direct(
    receiver: &mut Receiver,
    bytes: &[u8],
    step: usize,
) -> (Vec<Event>, Result<(), Violation>, usize) {
    let mut events = Events::default();
    let mut left = bytes;
    let mut direct = 0;
    while !left.is_empty() {
        let ready = left.len().min(step);
        let (taken, result) = if let Some((memory, room)) = receiver.payload_buffer() {
            assert!(room > 0 && memory.capacity() - memory.len() >= room);
            let taken = ready.min(room);
            memory.extend_from_slice(&left[..taken]);
            direct += taken;
            (taken, receiver.advance_payload(taken, &mut events))
        } else {
            let result = receiver.handle_bytes(&mut left[..ready].to_vec(), &mut events);
            (ready, result)
        };
        left = &left[taken..];
        if result.is_err() {
            assert!(receiver.payload_buffer().is_none());
            return (events.list, result, direct);
        }
    }
    (events.list, Ok(()), direct)
}

const STEPS: [usize; 6] = [997, 4096, 16_383, 40_000, 65_536, 1 << 20];

#[test]
fn gives_what_chunks_give() {
    let text = "häßlich €uro 😀 ".repeat(30_000).into_bytes();
    let binary: Vec<u8> = (0..200_001).map(|i| (i * 7) as u8).collect();
    let bytes = frames(&[
        (opcode::TEXT, true, &text),
        (opcode::BINARY, false, &binary),
        (opcode::PING, true, b"between"),
        (opcode::CONTINUATION, false, &binary[..70_003]),
        (opcode::CONTINUATION, true, b"the end"),
        (opcode::BINARY, true, b"short"),
        (opcode::TEXT, true, &text[..100_000 - 1]),
        (opcode::CLOSE, true, b"\x03\xe8bye"),
    ]);
    let (expected, end, _) = SERVER.run_in_chunks(&bytes, 60_000);
    assert_eq!(end, Ok(()));
    assert_eq!(expected.len(), 6);
    for step in STEPS {
        let (events, end, direct) = run_direct(&mut SERVER.receiver(), &bytes, step);
        assert_eq!(end, Ok(()), "step {step}");
        assert!(events == expected, "step {step}");
        assert!(
            step > 500_000 || direct > bytes.len() / 3,
            "step {step}: {direct}"
        );
    }
}

#[test]
fn refuses_broken_text_where_it_breaks() {
    let mut text = "é".repeat(100_000).into_bytes();
    text[150_000] = 0xff;
    let bytes = frames(&[(opcode::TEXT, true, &text)]);
    for step in STEPS {
        let mut receiver = SERVER.receiver();
        let (events, end, _) = run_direct(&mut receiver, &bytes, step);
        assert_eq!(end, Err(Violation::InvalidUtf8));
        assert_eq!(events, []);
        assert_eq!(receiver.capacity(), 0);
    }
}

#[test]
fn counts_the_pieces() {
    let limits = Limits {
        max_buffered_chunks: 3,
        ..Limits::default()
    };
    let setup = Setup { limits, ..SERVER };
    let bytes = frames(&[(opcode::BINARY, true, &[1; 100_000])]);
    let run = |step| run_direct(&mut setup.receiver(), &bytes, step);
    assert_eq!(run(20_000).1, Err(Violation::TooManyBufferedChunks));
    let (events, end, direct) = run(34_000);
    assert_eq!((events.len(), end), (1, Ok(())));
    assert!(direct >= 60_000);
}

#[test]
fn claims_reserve_nothing() {
    let mut receiver = SERVER.receiver();
    // A frame of 1 GiB, of which 100 bytes have come.
    let mut bytes = b"\x82\xff\x00\x00\x00\x00\x40\x00\x00\x00\x37\xfa\x21\x3d".to_vec();
    bytes.extend_from_slice(&[0; 100]);
    let (_, end, _) = run_direct(&mut receiver, &bytes, 1000);
    assert_eq!(end, Ok(()));
    assert!(receiver.payload_buffer().is_none());
    assert!(receiver.capacity() <= 256);
    let (_, end, _) = run_direct(&mut receiver, &[0; 20_000], 20_000);
    assert_eq!(end, Ok(()));
    let (memory, room) = receiver.payload_buffer().expect("the rest is expected");
    assert_eq!(memory.len(), 20_100);
    assert!(room <= MAX_PAYLOAD_BUFFER);
    assert!(receiver.capacity() <= 2 * (20_100 + MIN_PAYLOAD_BUFFER));
}

#[test]
fn is_for_long_payloads_only() {
    let mut receiver = SERVER.receiver();
    assert!(receiver.payload_buffer().is_none());
    let payload = [7; 2 * MIN_PAYLOAD_BUFFER + 1];
    let bytes = frames(&[(opcode::BINARY, true, &payload)]);
    let (header, half) = (8, 8 + MIN_PAYLOAD_BUFFER);
    let mut events = Events::default();
    let mut feed = |receiver: &mut Receiver, bytes: &[u8]| {
        assert_eq!(
            receiver.handle_bytes(&mut bytes.to_vec(), &mut events),
            Ok(())
        );
    };
    feed(&mut receiver, &bytes[..header + 1]);
    assert!(
        receiver.payload_buffer().is_none(),
        "less than MIN_PAYLOAD_BUFFER has come"
    );
    feed(&mut receiver, &bytes[header + 1..half]);
    assert!(receiver.payload_buffer().is_some());
    feed(&mut receiver, &bytes[half..half + 2]);
    assert!(
        receiver.payload_buffer().is_none(),
        "less than MIN_PAYLOAD_BUFFER is missing"
    );
    feed(&mut receiver, &bytes[half + 2..]);
    assert_eq!(events.list, [Event::Binary(payload.to_vec(), vec![])]);
}
