//! Each is reported when the last byte it takes has arrived, however the bytes come.

use super::*;
use Violation::*;

const COMPLETE: usize = usize::MAX;

/// Asserts that the stream fails with `violation` at its byte number `at`, counted from 1.
fn assert_fails(setup: Setup, bytes: &[u8], at: usize, violation: Violation) {
    assert_eq!(setup.violation(bytes), violation, "{bytes:x?}");
    let (_, _, taken) = setup.run_in_chunks(bytes, 1);
    assert_eq!(taken, at.min(bytes.len()), "{bytes:x?}");
}

#[test]
fn reserved_bits() {
    for first in [0x91, 0xa1, 0xb1, 0xf1, 0x20, 0x8b | 0x10] {
        assert_fails(CLIENT, &[first, 0], 2, UnexpectedRsv2Or3);
    }
    for first in [0xc1, 0x42, 0xc8, 0xc9, 0x40, 0xc5] {
        assert_fails(CLIENT, &[first, 0], 2, UnexpectedRsv1);
    }
}

#[test]
fn opcodes() {
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        assert_fails(CLIENT, &[0x80 | opcode, 0], 2, InvalidOpcode(opcode));
        assert_fails(CLIENT, &[opcode, 0], 2, InvalidOpcode(opcode));
    }
}

#[test]
fn order_of_frames() {
    assert_fails(CLIENT, b"\x80\x00", 2, InvalidOpcode(0));
    assert_fails(CLIENT, b"\x00\x00", 2, InvalidOpcode(0));
    assert_fails(CLIENT, b"\x01\x01a\x81\x01b", 5, InvalidOpcode(1));
    assert_fails(CLIENT, b"\x02\x01a\x02\x01b", 5, InvalidOpcode(2));
    assert_fails(CLIENT, b"\x01\x01a\x80\x01b\x80\x00", 8, InvalidOpcode(0));
}

#[test]
fn control_frames() {
    for opcode in [0x8, 0x9, 0xa] {
        assert_fails(CLIENT, &[opcode, 0], 2, ExpectedFin);
        let long = [0x80 | opcode, 0x7e, 0, 126];
        assert_fails(CLIENT, &long, 2, InvalidControlPayloadLength(126));
        let longest = [0x80 | opcode, 0x7f];
        assert_fails(CLIENT, &longest, 2, InvalidControlPayloadLength(127));
    }
    assert_fails(CLIENT, b"\x88\x01", 2, InvalidControlPayloadLength(1));
    assert_fails(SERVER, b"\x88\x81", 2, InvalidControlPayloadLength(1));
    assert_eq!(
        CLIENT.events(b"\x89\x01a\x8a\x01b"),
        [Event::Ping(b"a".to_vec()), Event::Pong(b"b".to_vec())]
    );
}

#[test]
fn masks() {
    assert_fails(SERVER, b"\x81\x05Hello", 2, ExpectedMask);
    assert_fails(SERVER, b"\x88\x00", 2, ExpectedMask);
    assert_fails(
        CLIENT,
        b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
        2,
        UnexpectedMask,
    );
}

#[test]
fn the_first_of_several_faults() {
    // RSV2, RSV1, no FIN, too long, not masked.
    assert_fails(SERVER, b"\x68\x7f", 2, UnexpectedRsv2Or3);
    assert_fails(SERVER, b"\x48\x7f", 2, UnexpectedRsv1);
    assert_fails(SERVER, b"\x08\x7f", 2, ExpectedFin);
    assert_fails(SERVER, b"\x88\x7f", 2, InvalidControlPayloadLength(127));
    assert_fails(SERVER, b"\x83\x7f", 2, InvalidOpcode(3));
    assert_fails(SERVER, b"\x82\x7f", 2, ExpectedMask);
}

#[test]
fn lengths() {
    let beyond = b"\x82\x7f\x00\x20\x00\x00\x00\x00\x00\x00";
    assert_fails(CLIENT, beyond, 10, UnsupportedDataPayloadLength);
    let most = b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_fails(CLIENT, most, 10, UnsupportedDataPayloadLength);
    // The mask need not be there.
    let masked = b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00";
    assert_fails(SERVER, masked, 10, UnsupportedDataPayloadLength);
    assert_eq!(
        CLIENT.events(b"\x82\x7f\x00\x1f\xff\xff\xff\xff\xff\xff"),
        []
    );
}

#[test]
fn max_payload() {
    let limited = Setup {
        limits: Limits {
            max_payload: 20,
            ..CLIENT.limits
        },
        ..CLIENT
    };
    let at_limit = [b"\x82\x14", &[1; 20][..]].concat();
    assert_eq!(limited.events(&at_limit), [binary(&[1; 20])]);
    assert_eq!(limited.events(&at_limit.repeat(2)).len(), 2);
    assert_fails(limited, b"\x82\x15", 2, UnsupportedMessageLength);
    assert_fails(limited, b"\x82\x7e\x00\x80", 4, UnsupportedMessageLength);
    let huge = b"\x82\x7f\x00\x00\x00\x00\x80\x00\x00\x00";
    assert_fails(limited, huge, 10, UnsupportedMessageLength);
    // Frames of a message add up, pings between them do not count.
    let fragmented = b"\x02\x03abc\x89\x14aaaaaaaaaaaaaaaaaaaa\x80\x12";
    assert_fails(limited, fragmented, 29, UnsupportedMessageLength);
    // The length of a masked frame is enough.
    let server = Setup {
        role: Role::Server,
        ..limited
    };
    assert_fails(server, b"\x82\x95", 2, UnsupportedMessageLength);
}

#[test]
fn max_fragments() {
    let limited = Setup {
        limits: Limits {
            max_fragments: 2,
            ..CLIENT.limits
        },
        ..CLIENT
    };
    assert_eq!(
        limited.events(b"\x02\x01a\x80\x01b\x82\x01c\x02\x00\x80\x00"),
        [
            Event::Binary(b"ab".to_vec(), vec![1, 1]),
            binary(b"c"),
            binary(b"")
        ]
    );
    assert_fails(
        limited,
        b"\x02\x01a\x00\x01b\x80\x01c\x80",
        9,
        TooManyFragments,
    );
    assert_fails(
        limited,
        b"\x01\x00\x00\x00\x00\x00\x80\x00",
        6,
        TooManyFragments,
    );
    let one = Setup {
        limits: Limits {
            max_fragments: 1,
            ..CLIENT.limits
        },
        ..CLIENT
    };
    assert_eq!(one.events(b"\x82\x01a\x89\x00\x82\x01b").len(), 3);
    // Text is refused as it arrives, before the end of its frame counts.
    assert_fails(one, b"\x01\x01a\x80\x02\xffb", 6, InvalidUtf8);
    assert_fails(one, b"\x02\x01a\x80\x01b", 6, TooManyFragments);
}

#[test]
fn limits_that_change() {
    let mut receiver = CLIENT.receiver();
    let mut events = Events::default();
    let narrow = Limits {
        max_payload: 2,
        ..CLIENT.limits
    };
    let mut hand = |receiver: &mut Receiver, bytes: &[u8]| {
        receiver.handle_bytes(&mut bytes.to_vec(), &mut events)
    };
    assert_eq!(hand(&mut receiver, b"\x82\x03ab"), Ok(()));
    // The frame that has begun is complete, and then there is no check of text either.
    receiver.set_limits(narrow, true);
    assert_eq!(hand(&mut receiver, b"c\x81\x02a\xff"), Ok(()));
    receiver.set_limits(CLIENT.limits, true);
    assert_eq!(hand(&mut receiver, b"\x82\x03def"), Ok(()));
    receiver.set_limits(narrow, false);
    assert_eq!(
        hand(&mut receiver, b"\x82\x03"),
        Err(UnsupportedMessageLength)
    );
    assert!(receiver.is_finished);
    assert_eq!(
        events.list,
        [binary(b"abc"), super::text(b"a\xff"), binary(b"def")]
    );
}

#[test]
fn text() {
    assert_fails(CLIENT, b"\x81\x03a\xffb", 4, InvalidUtf8);
    assert_fails(CLIENT, b"\x81\x02a\xc3", COMPLETE, InvalidUtf8);
    assert_fails(CLIENT, b"\x01\x02a\xff\x80\x00", 4, InvalidUtf8);
    // A character over two frames, with a ping between them; then one that does not go on.
    assert_eq!(
        CLIENT.events(b"\x01\x02a\xc3\x89\x00\x80\x01\xa4"),
        [
            Event::Ping(Vec::new()),
            Event::Text("aä".into(), vec![2, 1])
        ]
    );
    assert_fails(CLIENT, b"\x01\x01\xc3\x80\x01a", 6, InvalidUtf8);
    assert_fails(CLIENT, b"\x01\x01\xc3\x80\x00", COMPLETE, InvalidUtf8);
    assert_eq!(CLIENT.events(b"\x82\x01\xff"), [binary(b"\xff")]);
    let trusting = Setup {
        skip_utf8_validation: true,
        ..CLIENT
    };
    assert_eq!(trusting.events(b"\x81\x01\xff"), [super::text(b"\xff")]);
}

#[test]
fn close_frames() {
    assert_fails(
        CLIENT,
        b"\x88\x02\x03\xee",
        COMPLETE,
        InvalidCloseCode(1006),
    );
    assert_fails(CLIENT, b"\x88\x03\x03\xe8\xc3", COMPLETE, InvalidUtf8);
}
