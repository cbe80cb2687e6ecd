//! The events of some polls, with their bytes.

use std::mem;
use std::ops::Range;

use bytes::Bytes;

use super::in_place::InPlace;
use super::{AFTER_INFLATION, Event, Kind, Origin, Owner, Place, PollEvents, add_fragments};
use crate::engine::stream::READ_SIZE;
use crate::memory::buffer_pool;
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Endpoint, Message, Payload, Sink, Violation};

/// How much memory a batch that was emptied keeps, in bytes.
pub(super) const KEPT: usize = 2 * READ_SIZE;

/// The events of one or more polls, with their bytes.
#[derive(Default)]
pub struct Batch {
    /// Those polls that had events, in order.
    pub polls: Vec<PollEvents>,
    /// The events of all polls.
    pub events: Vec<Event>,
    /// What was read, with the payloads where they came, and payloads that came another way.
    pub arena: Vec<u8>,
    /// Fragment lengths.
    pub fragments: Vec<u32>,
    /// What all polls take.
    pub bytes: usize,
    /// Polls of connections that brought messages, or parts of them.
    pub busy: usize,
    /// Connections of which a message is being inflated since these polls.
    pub inflating: usize,
    /// Those of which none is any more.
    pub inflated: usize,
    /// Bytes that these polls compressed.
    pub(crate) deflated: usize,
    /// The last poll has left something of what it had received: its source is the first on the list.
    pub goes_on: bool,
    /// The length of the arena when the last poll ended.
    polled: usize,
    /// How many bytes the arena of the batch before had.
    expected: usize,
}

impl Batch {
    /// Adds an event without payload to the poll under way.
    pub fn push(&mut self, kind: Kind, value: u32) {
        self.push_bytes(kind, value, &[]);
    }

    /// Adds an event with a copied payload.
    pub fn push_bytes(&mut self, kind: Kind, value: u32, bytes: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.push_place(kind, value, Place::Arena(start..self.arena.len()), 0..0);
    }

    /// Adds to an empty batch what `chunk` means for `endpoint`. Payloads stay where they are: until
    /// [`keep_chunk`](Self::keep_chunk) places in the arena are places in the chunk.
    pub fn feed_chunk(&mut self, endpoint: &mut Endpoint, chunk: &mut [u8]) {
        let mut sink = InPlace::new(chunk, 0, &mut self.events, &mut self.fragments);
        if let Err(violation) = endpoint.handle_bytes(chunk, &mut sink) {
            self.push_violation_of(endpoint, violation);
        }
    }

    /// Whether all payloads lie in the chunk, each in one piece.
    pub fn is_in_chunk(&self) -> bool {
        let lies_there =
            |event: &Event| event.fragments.is_empty() && matches!(event.place, Place::Arena(_));
        self.events.iter().all(lies_there)
    }

    /// Copies what events need of the chunk.
    pub fn keep_chunk(&mut self, chunk: &[u8]) {
        let ends = self.events.iter().map(|event| match &event.place {
            Place::Arena(range) => range.end,
            _ => 0,
        });
        let end = ends.max().unwrap_or_default();
        self.arena.extend_from_slice(&chunk[..end]);
    }

    /// Adds what `bytes` mean for `endpoint`.
    pub fn feed(&mut self, endpoint: &mut Endpoint, bytes: &mut [u8]) {
        if let Err(violation) = endpoint.handle_bytes(bytes, self) {
            self.push_violation_of(endpoint, violation);
        }
    }

    /// The poll told of a socket that has failed, and left it to JavaScript to close the connection.
    pub(crate) fn has_failure(&self) -> bool {
        self.events
            .last()
            .is_some_and(|event| event.kind == Kind::Failed)
    }

    /// Where to read to: after what is in the arena, with room for `len` bytes.
    pub(crate) fn room(&mut self, len: usize) -> &mut Vec<u8> {
        if self.arena.capacity() == 0 {
            let expected = self.expected + 2 * len;
            self.arena = buffer_pool::take(expected as u64);
            self.arena.reserve(expected);
        }
        self.arena.reserve(len);
        &mut self.arena
    }

    /// Adds an event whose payload was read to the arena, from `start` on.
    pub(crate) fn push_read(&mut self, kind: Kind, start: usize) {
        self.push_place(kind, 0, Place::Arena(start..self.arena.len()), 0..0);
    }

    /// Adds what the bytes mean for `endpoint` that were read to the arena, from `start` on. Payloads stay where they are.
    pub(crate) fn feed_read(&mut self, endpoint: &mut Endpoint, start: usize) {
        let first = self.events.len();
        let chunk = &mut self.arena[start..];
        let mut sink = InPlace::new(chunk, start, &mut self.events, &mut self.fragments);
        let result = endpoint.handle_bytes(chunk, &mut sink);
        let in_arena = |event: &Event| match &event.place {
            Place::Arena(range) if !range.is_empty() => Some(range.end),
            _ => None,
        };
        let end = self.events[first..].iter().rev().find_map(in_arena);
        self.arena.truncate(end.unwrap_or(start));
        if let Err(violation) = result {
            self.push_violation_of(endpoint, violation);
        }
    }

    /// Adds what the bytes mean that were appended to the memory `endpoint` gave for them.
    pub(crate) fn advance_payload(&mut self, endpoint: &mut Endpoint, added: usize) {
        if let Err(violation) = endpoint.advance_payload(added, self) {
            self.push_violation_of(endpoint, violation);
        }
    }

    /// Adds what a job inflated for `endpoint`, and what the bytes after it mean.
    pub fn finish(&mut self, endpoint: &mut Endpoint, job: InflateJob) {
        if let Err(violation) = endpoint.finish_job(job, self) {
            self.push_violation_of(endpoint, violation);
        }
    }

    /// Adds a violation.
    pub(crate) fn push_violation(&mut self, violation: Violation) {
        self.push(Kind::Violation, violation.kind() | violation.detail() << 8);
    }

    /// Adds a violation that `endpoint` has just found.
    fn push_violation_of(&mut self, endpoint: &Endpoint, violation: Violation) {
        self.push_violation(violation);
        if let (true, Some(event)) = (endpoint.has_inflated(), self.events.last_mut()) {
            event.value |= AFTER_INFLATION;
        }
    }

    /// Adds an event with a payload of its own.
    pub(crate) fn push_owned(&mut self, kind: Kind, bytes: Vec<u8>) {
        self.push_place(kind, 0, Place::Owned(bytes), 0..0);
    }

    /// Adds an event with a payload that others have, too.
    pub(crate) fn push_shared(&mut self, kind: Kind, value: u32, bytes: Bytes) {
        self.push_place(kind, value, Place::Shared(bytes), 0..0);
    }

    fn push_place(&mut self, kind: Kind, value: u32, place: Place, fragments: Range<usize>) {
        self.events.push(Event::new(kind, value, place, fragments));
    }

    /// Ends a poll, whose events are those from `first` on, if there are any. Returns what they take.
    pub(crate) fn end_poll(
        &mut self,
        first: usize,
        origin: Origin,
        owner: impl FnOnce() -> Owner,
    ) -> usize {
        let events = first..self.events.len();
        if events.is_empty() {
            return 0;
        }
        // An event without a payload takes memory, too, and so does what lies between payloads.
        let owned = self.events[events.clone()]
            .iter()
            .map(|event| match &event.place {
                Place::Arena(_) => 0,
                Place::Owned(bytes) => bytes.len(),
                Place::Shared(bytes) => bytes.len(),
            })
            .sum::<usize>();
        let read = self.arena.len() - mem::replace(&mut self.polled, self.arena.len());
        let bytes = events.len() * size_of::<Event>() + owned + read;
        self.bytes += bytes;
        self.polls.push(PollEvents {
            owner: owner(),
            events,
            bytes,
            origin,
            follows: false,
        });
        bytes
    }

    /// Whether the events from `first` on are of messages, or none because one is still arriving.
    pub(crate) fn has_messages(&self, first: usize) -> bool {
        self.events.get(first).is_none_or(|event| {
            matches!(
                event.kind,
                Kind::Text | Kind::Binary | Kind::Ping | Kind::Pong
            )
        })
    }

    /// Whether there is nothing to deliver or count.
    pub fn is_empty(&self) -> bool {
        self.polls.is_empty() && self.inflating == 0 && self.inflated == 0
    }

    /// Takes all there is, and prepares for as much again. A nearly empty batch gets an exact-size copy; the large buffer is
    /// reused.
    pub fn take(&mut self) -> Self {
        let mut taken = mem::take(self);
        if taken.arena.len() < taken.arena.capacity() / 4 {
            let exact = taken.arena.clone();
            self.arena = mem::replace(&mut taken.arena, exact);
            self.arena.clear();
            self.arena.shrink_to(KEPT);
        } else {
            self.expected = taken.arena.len();
        }
        taken
    }

    /// Empties the batch, keeping a moderate capacity for the next one.
    pub fn clear(&mut self) {
        self.bytes = 0;
        self.polled = 0;
        self.busy = 0;
        self.inflating = 0;
        self.inflated = 0;
        self.deflated = 0;
        self.goes_on = false;
        self.polls.clear();
        self.events.clear();
        self.fragments.clear();
        self.arena.clear();
        self.arena.shrink_to(KEPT);
        self.events.shrink_to(KEPT / size_of::<Event>());
        self.fragments.shrink_to(KEPT);
    }
}

/// Returns the arena to the pool.
impl Drop for Batch {
    fn drop(&mut self) {
        buffer_pool::give(mem::take(&mut self.arena));
    }
}

/// Takes events whose bytes may lie anywhere.
impl Sink for Batch {
    fn message(&mut self, message: Message<'_>) {
        let kind = Kind::of(&message);
        let fragments = add_fragments(&mut self.fragments, &message);
        match message.payload {
            Payload::Borrowed(bytes) => {
                let start = self.arena.len();
                self.arena.extend_from_slice(bytes);
                self.push_place(kind, 0, Place::Arena(start..self.arena.len()), fragments);
            }
            Payload::Owned(bytes) => self.push_place(kind, 0, Place::Owned(bytes), fragments),
        }
    }

    fn ping(&mut self, payload: &[u8]) {
        self.push_bytes(Kind::Ping, 0, payload);
    }

    fn pong(&mut self, payload: &[u8]) {
        self.push_bytes(Kind::Pong, 0, payload);
    }

    fn close(&mut self, code: u16, reason: &[u8]) {
        self.push_bytes(Kind::Close, u32::from(code), reason);
    }
}
