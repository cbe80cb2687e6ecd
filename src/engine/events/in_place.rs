//! Events whose payloads stay in the bytes that were read.

use std::ops::Range;

use super::{Event, Kind, Place, add_fragments};
use crate::protocol::{Message, Payload, Sink};

/// Takes events whose bytes lie in the arena's last chunk for the most part: those are not copied.
pub(super) struct InPlace<'a> {
    /// Where the chunk is, in the arena and in memory.
    start: usize,
    address: usize,
    len: usize,
    events: &'a mut Vec<Event>,
    fragments: &'a mut Vec<u32>,
}

impl<'a> InPlace<'a> {
    /// For the bytes of `chunk`, which begins at `start` of the arena.
    pub(super) fn new(
        chunk: &[u8],
        start: usize,
        events: &'a mut Vec<Event>,
        fragments: &'a mut Vec<u32>,
    ) -> Self {
        Self {
            start,
            address: chunk.as_ptr().addr(),
            len: chunk.len(),
            events,
            fragments,
        }
    }

    fn push(&mut self, kind: Kind, value: u32, bytes: &[u8], fragments: Range<usize>) {
        let offset = bytes.as_ptr().addr().wrapping_sub(self.address);
        let end = offset.saturating_add(bytes.len());
        let place = if bytes.is_empty() {
            Place::Arena(0..0)
        } else if end <= self.len {
            Place::Arena(self.start + offset..self.start + end)
        } else {
            // It began in an earlier chunk.
            Place::Owned(bytes.to_vec())
        };
        self.events.push(Event::new(kind, value, place, fragments));
    }
}

impl Sink for InPlace<'_> {
    fn message(&mut self, message: Message<'_>) {
        let kind = Kind::of(&message);
        let fragments = add_fragments(self.fragments, &message);
        match message.payload {
            Payload::Borrowed(bytes) => self.push(kind, 0, bytes, fragments),
            Payload::Owned(bytes) => {
                let event = Event::new(kind, 0, Place::Owned(bytes), fragments);
                self.events.push(event);
            }
        }
    }

    fn ping(&mut self, payload: &[u8]) {
        self.push(Kind::Ping, 0, payload, 0..0);
    }

    fn pong(&mut self, payload: &[u8]) {
        self.push(Kind::Pong, 0, payload, 0..0);
    }

    fn close(&mut self, code: u16, reason: &[u8]) {
        self.push(Kind::Close, u32::from(code), reason, 0..0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::KEPT;
    use super::super::{Batch, Origin, Owner};
    use super::*;
    use crate::protocol::{Config, Endpoint, Limits, Role};

    fn server() -> Endpoint {
        Endpoint::new(Config {
            role: Role::Server,
            limits: Limits::default(),
            skip_utf8_validation: false,
            deflate: None,
        })
    }

    /// Reads `bytes` to the arena and feeds them.
    fn read(batch: &mut Batch, endpoint: &mut Endpoint, bytes: &[u8]) {
        let start = batch.arena.len();
        batch.room(bytes.len()).extend_from_slice(bytes);
        batch.feed_read(endpoint, start);
    }

    /// Kind, payload, and whether that is in the arena.
    fn events(batch: &Batch) -> Vec<(Kind, &[u8], bool)> {
        let mut seen = Vec::new();
        for event in &batch.events {
            seen.push(match &event.place {
                Place::Arena(range) => (event.kind, &batch.arena[range.clone()], true),
                Place::Owned(bytes) => (event.kind, &bytes[..], false),
                Place::Shared(bytes) => (event.kind, &bytes[..], false),
            });
        }
        seen
    }

    const HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    const PING: &[u8] = b"\x89\x82\0\0\0\0hi";
    const CLOSE: &[u8] = b"\x88\x85\0\0\0\0\x03\xe8bye";

    #[test]
    fn whole_frames_stay_where_they_are() {
        let (mut batch, mut endpoint) = (Batch::default(), server());
        batch.push_bytes(Kind::Chunk, 0, b"before");
        read(&mut batch, &mut endpoint, &[HELLO, PING, HELLO].concat());
        read(&mut batch, &mut endpoint, CLOSE);
        assert_eq!(
            events(&batch),
            [
                (Kind::Chunk, &b"before"[..], true),
                (Kind::Text, b"Hello", true),
                (Kind::Ping, b"hi", true),
                (Kind::Text, b"Hello", true),
                (Kind::Close, b"bye", true),
            ]
        );
    }

    #[test]
    fn what_began_in_another_chunk_is_kept_apart() {
        for frame in [HELLO, PING, CLOSE] {
            let mut whole = Batch::default();
            read(&mut whole, &mut server(), frame);
            for cut in 1..frame.len() {
                let (mut batch, mut endpoint) = (Batch::default(), server());
                read(&mut batch, &mut endpoint, &frame[..cut]);
                assert!(batch.events.is_empty() && batch.arena.is_empty());
                read(&mut batch, &mut endpoint, &frame[cut..]);
                let (kind, payload, is_in_arena) = events(&batch)[0];
                assert_eq!((kind, payload), (events(&whole)[0].0, events(&whole)[0].1));
                // The key is the last field before the payload.
                assert_eq!(is_in_arena, cut <= 6, "{cut}");
            }
        }
    }

    #[test]
    fn what_is_kept_is_counted() {
        let (mut batch, mut endpoint) = (Batch::default(), server());
        let size = size_of::<Event>();
        let end = |batch: &mut Batch, first| {
            batch.end_poll(first, Origin::Unit, || Owner::Task { bridge: 0, id: 0 })
        };
        // The end of one message, another one, and the beginning of a third one.
        read(&mut batch, &mut endpoint, &HELLO[..8]);
        assert_eq!(end(&mut batch, 0), 0);
        read(
            &mut batch,
            &mut endpoint,
            &[&HELLO[8..], HELLO, &HELLO[..8]].concat(),
        );
        assert_eq!(batch.arena.len(), 3 + HELLO.len());
        assert_eq!(
            end(&mut batch, 0),
            2 * size + b"Hello".len() + 3 + HELLO.len()
        );
        // And its end: nothing in the arena is referred to.
        read(&mut batch, &mut endpoint, &HELLO[8..]);
        assert_eq!(end(&mut batch, 2), size + b"Hello".len());
        assert_eq!(batch.arena.len(), 3 + HELLO.len());
    }

    #[test]
    fn a_chunk_of_somebody_else_is_copied_only_where_it_must_be() {
        let (mut batch, mut endpoint) = (Batch::default(), server());
        let mut chunk = [HELLO, PING, CLOSE].concat();
        batch.feed_chunk(&mut endpoint, &mut chunk);
        assert!(batch.is_in_chunk() && batch.arena.is_empty());
        let places: Vec<&[u8]> = batch
            .events
            .iter()
            .map(|event| match &event.place {
                Place::Arena(range) => &chunk[range.clone()],
                _ => panic!("not in the chunk"),
            })
            .collect();
        assert_eq!(places, [&b"Hello"[..], b"hi", b"bye"]);

        // The end of a message that began in another chunk lies nowhere, what comes after it does.
        let (mut batch, mut endpoint) = (Batch::default(), server());
        batch.feed_chunk(&mut endpoint, &mut HELLO[..8].to_vec());
        assert!(batch.events.is_empty());
        let mut rest = [&HELLO[8..], PING].concat();
        batch.feed_chunk(&mut endpoint, &mut rest);
        assert!(!batch.is_in_chunk());
        batch.keep_chunk(&rest);
        assert_eq!(
            events(&batch),
            [
                (Kind::Text, &b"Hello"[..], false),
                (Kind::Ping, b"hi", true)
            ]
        );
    }

    #[test]
    fn a_violation_comes_behind_what_was_right() {
        let (mut batch, mut endpoint) = (Batch::default(), server());
        read(&mut batch, &mut endpoint, &[HELLO, b"\x83\x80"].concat());
        assert_eq!(batch.events.len(), 2);
        assert_eq!(events(&batch)[0], (Kind::Text, &b"Hello"[..], true));
        assert_eq!(batch.events[1].kind, Kind::Violation);
    }

    #[test]
    fn a_nearly_empty_batch_is_copied_and_a_full_one_taken() {
        let mut batch = Batch::default();
        let address = batch.room(1000).as_ptr();
        read(&mut batch, &mut server(), HELLO);
        let small = batch.take();
        assert_eq!(events(&small), [(Kind::Text, &b"Hello"[..], true)]);
        assert!(small.arena.capacity() < 100 && batch.events.is_empty());
        assert_eq!(batch.room(1000).as_ptr(), address);

        let many = HELLO.repeat(100);
        read(&mut batch, &mut server(), &many);
        let large = batch.take();
        assert_eq!(large.arena.as_ptr(), address);
        assert_eq!(large.events.len(), 100);

        // Nor does what comes after a full one keep as much.
        batch.room(1 << 20);
        read(&mut batch, &mut server(), HELLO);
        assert_eq!(batch.take().events.len(), 1);
        assert!(batch.arena.capacity() <= KEPT);
    }
}
