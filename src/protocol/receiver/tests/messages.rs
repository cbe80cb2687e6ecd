use super::*;
use crate::protocol::Endpoint;

/// A frame for a client.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first, 127];
    out.extend((payload.len() as u64).to_be_bytes());
    out.extend(payload);
    out
}

#[test]
fn empty_messages() {
    assert_eq!(CLIENT.events(b"\x81\x00\x82\x00"), [text(b""), binary(b"")]);
    assert_eq!(SERVER.events(b"\x82\x80abcd"), [binary(b"")]);
    assert_eq!(CLIENT.events(b"\x02\x00\x00\x00\x80\x00"), [binary(b"")]);
}

#[test]
fn empty_frames_are_no_fragments() {
    assert_eq!(
        CLIENT.events(b"\x02\x00\x00\x01a\x00\x00\x00\x02bc\x80\x00"),
        [Event::Binary(b"abc".to_vec(), vec![1, 2])]
    );
    // One frame with bytes needs no list.
    assert_eq!(CLIENT.events(b"\x02\x01a\x80\x00"), [binary(b"a")]);
    assert_eq!(CLIENT.events(b"\x02\x00\x80\x01a"), [binary(b"a")]);
}

#[test]
fn control_frames_between_fragments() {
    assert_eq!(
        SERVER.events(
            b"\x01\x81\x01\x02\x03\x04`\x89\x82\x01\x00\x00\x00`b\x00\x81\x00\x00\x00\x01b\
              \x8a\x80\x00\x00\x00\x00\x80\x81\x01\x00\x00\x00b"
        ),
        [
            Event::Ping(b"ab".to_vec()),
            Event::Pong(Vec::new()),
            Event::Text(b"abc".to_vec(), vec![1, 1, 1])
        ]
    );
}

#[test]
fn the_longest_control_frame() {
    let payload = [b'p'; 125];
    let ping = [b"\x89\x7d", &payload[..]].concat();
    assert_eq!(CLIENT.events(&ping), [Event::Ping(payload.to_vec())]);
}

#[test]
fn close_frames_end_the_stream() {
    let after = b"\x81\x01a\xff\xff";
    assert_eq!(
        CLIENT.events(&[b"\x88\x00", &after[..]].concat()),
        [Event::Close(1005, Vec::new())]
    );
    assert_eq!(
        CLIENT.events(&[b"\x88\x05\x03\xe8bye", &after[..]].concat()),
        [Event::Close(1000, b"bye".to_vec())]
    );
    // In the middle of a message, too.
    assert_eq!(
        CLIENT.events(b"\x01\x01a\x88\x02\x0b\xb8\x80\x01b"),
        [Event::Close(3000, Vec::new())]
    );
    let mut receiver = CLIENT.receiver();
    assert!(!receiver.is_finished);
    let result = receiver.handle_bytes(&mut b"\x88\x00".to_vec(), &mut Events::default());
    assert_eq!(result, Ok(()));
    assert!(receiver.is_finished);
}

#[test]
fn after_a_violation_everything_is_discarded() {
    let mut receiver = CLIENT.receiver();
    let mut events = Events::default();
    let first = receiver.handle_bytes(&mut b"\x81\x01a\x83\x00\x81\x01b".to_vec(), &mut events);
    assert_eq!(first, Err(Violation::InvalidOpcode(3)));
    let second = receiver.handle_bytes(&mut b"\x81\x01c\x83\x00".to_vec(), &mut events);
    assert_eq!(second, Ok(()));
    assert_eq!(events.list, [text(b"a")]);
}

#[test]
fn keys_go_on_over_pieces() {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let payload: Vec<u8> = (0..1000).map(|i| i as u8).collect();
    let mut stream = b"\x82\xfe\x03\xe8".to_vec();
    stream.extend(key);
    stream.extend(&payload);
    mask::apply(key, 0, &mut stream[8..]);
    for size in 1..70 {
        let (events, result, _) = SERVER.run_in_chunks(&stream, size);
        assert_eq!((events, result), (vec![binary(&payload)], Ok(())));
    }
}

#[test]
fn a_whole_frame_is_lent_and_a_message_in_pieces_is_given() {
    let mut receiver = CLIENT.receiver();
    let mut events = Events::default();
    let mut borrowed = |bytes: &[u8]| {
        let before = events.borrowed;
        let result = receiver.handle_bytes(&mut bytes.to_vec(), &mut events);
        assert_eq!(result, Ok(()));
        events.borrowed - before
    };
    assert_eq!(borrowed(b"\x81\x01a\x82\x00\x82\x03abc"), 3);
    assert_eq!(borrowed(b"\x82"), 0);
    // Its header came earlier, but none of its payload.
    assert_eq!(borrowed(b"\x02"), 0);
    assert_eq!(borrowed(b"ab"), 1);
    assert_eq!(borrowed(b"\x82\x02a"), 0);
    assert_eq!(borrowed(b"b"), 0);
    assert_eq!(borrowed(b"\x02\x01a\x80\x01b"), 0);
}

#[test]
fn memory_grows_with_what_arrives() {
    // A claim of 2^52 bytes, and pieces of it.
    let mut receiver = CLIENT.receiver();
    let mut sink = Events::default();
    let mut header = b"\x82\x7f\x00\x10\x00\x00\x00\x00\x00\x00".to_vec();
    assert_eq!(receiver.handle_bytes(&mut header, &mut sink), Ok(()));
    assert_eq!(receiver.capacity(), 0);
    let mut arrived = 0;
    for len in [1, 10, 100, 1000, 65536, 65536, 65536] {
        assert_eq!(receiver.handle_bytes(&mut vec![0; len], &mut sink), Ok(()));
        arrived += len;
        assert!(receiver.capacity() <= (2 * arrived).max(256));
    }
}

#[test]
fn a_payload_in_pieces_takes_no_more_than_its_length() {
    let mut receiver = CLIENT.receiver();
    let mut sink = Events::default();
    let stream = frame(0x82, &vec![1; 100_000]);
    for chunk in stream[..90_000].to_vec().chunks_mut(1000) {
        assert_eq!(receiver.handle_bytes(chunk, &mut sink), Ok(()));
        assert!(receiver.capacity() <= 100_000);
    }
}

#[test]
fn many_tiny_fragments_cost_little() {
    let mut receiver = CLIENT.receiver();
    let mut stream = b"\x02\x01a".to_vec();
    stream.extend(b"\x00\x01b".repeat(15_999));
    let result = receiver.handle_bytes(&mut stream, &mut Events::default());
    assert_eq!(result, Ok(()));
    assert!(receiver.capacity() < 300 * 1024 / 2);
}

#[test]
fn fragments_do_not_move_the_message_one_by_one() {
    let mut receiver = CLIENT.receiver();
    let mut sink = Events::default();
    let mut growths = 0;
    for i in 0..1000 {
        let before = receiver.capacity();
        let mut fragment = frame(if i == 0 { 0x02 } else { 0x00 }, &[1; 1000]);
        assert_eq!(receiver.handle_bytes(&mut fragment, &mut sink), Ok(()));
        growths += usize::from(receiver.capacity() > before);
    }
    assert!(growths < 30, "{growths}");
}

#[test]
fn an_idle_receiver_holds_nothing() {
    let streams: [&[u8]; 5] = [
        b"\x81\x05Hello",
        b"\x01\x03Hel\x80\x02lo",
        b"\x89\x05Hello",
        // A close frame and a violation in the middle of a message.
        b"\x01\x03Hel\x88\x00",
        b"\x01\x03Hel\x89\x03ab\xff\x83\x00",
    ];
    for stream in streams {
        for size in [1, stream.len()] {
            let mut receiver = CLIENT.receiver();
            for chunk in stream.to_vec().chunks_mut(size) {
                let _ = receiver.handle_bytes(chunk, &mut Events::default());
            }
            assert_eq!(receiver.capacity(), 0, "{stream:x?}");
        }
    }
}

#[test]
fn stays_small() {
    assert!(size_of::<Receiver>() <= 256);
    assert!(size_of::<Endpoint>() <= 256);
}
