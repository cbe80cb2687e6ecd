//! RFC 6455, section 5.7.

use super::*;

#[test]
fn unmasked_text() {
    assert_eq!(CLIENT.events(b"\x81\x05Hello"), [text(b"Hello")]);
}

#[test]
fn masked_text() {
    let frame = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(SERVER.events(frame), [text(b"Hello")]);
}

#[test]
fn fragmented_text() {
    assert_eq!(
        CLIENT.events(b"\x01\x03Hel\x80\x02lo"),
        [Event::Text(b"Hello".to_vec(), vec![3, 2])]
    );
}

#[test]
fn ping_and_masked_pong() {
    assert_eq!(
        CLIENT.events(b"\x89\x05Hello"),
        [Event::Ping(b"Hello".to_vec())]
    );
    assert_eq!(
        SERVER.events(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        [Event::Pong(b"Hello".to_vec())]
    );
}

#[test]
fn lengths_of_16_and_64_bits() {
    let payload = vec![7; 256];
    let frame = [b"\x82\x7e\x01\x00", &payload[..]].concat();
    assert_eq!(CLIENT.events(&frame), [binary(&payload)]);
    let payload = vec![7; 65536];
    let frame = [b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", &payload[..]].concat();
    assert_eq!(CLIENT.events(&frame), [binary(&payload)]);
}
