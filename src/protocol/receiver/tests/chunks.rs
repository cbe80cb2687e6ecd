//! `max_buffered_chunks`: how many chunks the bytes of an incomplete part of a frame may come in.

use super::*;

/// Feeds chunks; how many of them were taken before the limit was passed.
fn taken(limit: u32, chunks: &[&[u8]]) -> usize {
    let mut receiver = Setup {
        limits: Limits {
            max_buffered_chunks: limit,
            ..SERVER.limits
        },
        ..SERVER
    }
    .receiver();
    for (i, chunk) in chunks.iter().enumerate() {
        if let Err(violation) = receiver.handle_bytes(&mut chunk.to_vec(), &mut Events::default()) {
            assert_eq!(violation, Violation::TooManyBufferedChunks);
            return i;
        }
    }
    chunks.len()
}

#[test]
fn pieces_of_a_payload() {
    let header: &[u8] = b"\x82\x85\0\0\0\0";
    assert_eq!(taken(2, &[header, b"a", b"b", b"c", b"d"]), 3);
    assert_eq!(taken(3, &[header, b"a", b"b", b"c", b"d"]), 4);
    assert_eq!(taken(0, &[header, b"a", b"b", b"c", b"d"]), 5);
    // The piece that completes the frame is counted too.
    assert_eq!(taken(4, &[header, b"a", b"b", b"c", b"d", b"e"]), 5);
    assert_eq!(taken(5, &[header, b"a", b"b", b"c", b"d", b"e"]), 6);
}

#[test]
fn a_payload_that_begins_with_its_header() {
    assert_eq!(taken(2, &[b"\x82\x85\0\0\0\0a", b"b", b"c"]), 2);
    assert_eq!(
        taken(2, &[b"\x82\x80\0\0\0\0\x82\x85\0\0\0\0a", b"b", b"c"]),
        2
    );
}

#[test]
fn every_field_of_a_header_begins_anew() {
    // Two bytes, two of length, four of key, two of payload.
    let frame: [&[u8]; 10] = [
        b"\x82", b"\xfe", b"\0", b"\x02", b"\0", b"\0", b"\0", b"\0", b"a", b"b",
    ];
    assert_eq!(taken(4, &frame), 10);
    assert_eq!(taken(3, &frame), 7);
    assert_eq!(taken(2, &frame), 6);
    assert_eq!(taken(1, &frame), 1);
    // A chunk with the end of one field and the begin of the next holds bytes of the next.
    assert_eq!(taken(1, &[b"\x82\x81", b"\0\0\0\0a"]), 2);
    assert_eq!(taken(1, &[b"\x82\x81\0", b"\0\0\0a"]), 1);
    assert_eq!(taken(2, &[b"\x82\x81\0", b"\0\0\0", b"a"]), 3);
    assert_eq!(taken(2, &[b"\x82", b"\xfe\0", b"\x02\0", b"\0\0"]), 4);
}

#[test]
fn a_complete_frame_starts_the_count_again() {
    let one: &[u8] = b"\x82\x82\0\0\0\0a";
    assert_eq!(taken(2, &[one, b"b", one, b"b", one, b"b"]), 6);
}

#[test]
fn control_frames_count_too() {
    assert_eq!(taken(2, &[b"\x89\x84\0\0\0\0a", b"b", b"c"]), 2);
}
