//! What polls produce: events of connections, in order, with their payloads.

mod in_place;

use std::any::Any;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use in_place::InPlace;

use super::stream::READ_SIZE;
use crate::memory::buffer_pool;
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Endpoint, Message, Payload, Sink, Violation};

/// What happened. The numbers are the bridge's wire format (`lib/native/bridge.js`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A text message.
    Text = 1,
    /// A binary message.
    Binary = 2,
    /// A message of another environment: `value` is the number of its topic. See [`HubMember`](super::HubMember).
    Published = 3,
    /// A close frame: `value` is its code, 1005 when it has none; the payload is the reason.
    Close = 8,
    /// A ping.
    Ping = 9,
    /// A pong.
    Pong = 10,
    /// The peer broke the protocol: `value` is the kind in the low 8 bits and the detail above.
    Violation = 16,
    /// The peer will send no more: `value` is 1 for a connection that JavaScript has not opened. If it has done so
    /// meanwhile, that is told again, behind what came with the head.
    End = 17,
    /// The socket is closed: `value` is the errno, 0 for none, with [`WRITING`] added if a write failed. The last event
    /// of a connection.
    Closed = 18,
    /// Everything queued has been written.
    Drained = 19,
    /// The dialled socket is connected.
    Connected = 20,
    /// An upgrade request or a 101 response: the payload is the flat head.
    Head = 21,
    /// What came is no request or response that the engine takes care of: the payload is what was read, for Node.js.
    NotAnUpgrade = 22,
    /// Bytes in passthrough, as they came.
    Chunk = 23,
    /// JavaScript knows all connections of a closed listener.
    ListenerClosed = 24,
    /// Nothing could be accepted, as a rule for want of a descriptor: the listener tries no more until [`Listener::resume`](super::Listener::resume).
    AcceptFailed = 25,
    /// A part of a head has come.
    HeadStarted = 26,
    /// A connection was accepted: `value` is the listener's id. The first event of such a connection.
    Accepted = 27,
    /// A task is over: the payload is what it made. A task that fails has [`Kind::Violation`] instead.
    Done = 28,
    /// The socket of a connection that JavaScript has not opened failed. It is closed when JavaScript destroys it; if it
    /// is opened, behind what came with the head.
    Failed = 29,
    /// A send or write that was tracked is with the kernel: [`Connection::written`](super::Connection::written) tells which.
    Written = 30,
    /// No more bytes wait than [`Connection::notify_buffered_amount_low`](super::Connection::notify_buffered_amount_low) named.
    BufferedAmountLow = 31,
    /// There was no room for so many messages of others.
    Lost = 32,
}

impl Kind {
    /// Whether it is a message, or else decoded from the peer's bytes. The others are of the socket, or bytes as they came.
    pub fn is_decoded(self) -> bool {
        (self as u32) < Self::End as u32
    }
}

/// Added to the errno of [`Kind::Closed`].
pub(super) const WRITING: u32 = 1 << 16;

/// The number of a [`Kind::Closed`] that TLS caused: the payload is what OpenSSL says of it, the library and the reason,
/// with a NUL between each.
pub(super) const OF_TLS: u32 = 1 << 17;

/// Where an event's payload is.
#[derive(Debug)]
pub enum Place {
    /// In the batch's arena.
    Arena(Range<usize>),
    /// In a vector of its own.
    Owned(Vec<u8>),
    /// In memory that others have, too.
    Shared(Bytes),
}

impl Place {
    /// The payload's length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Arena(range) => range.len(),
            Self::Owned(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether there is no payload.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One event.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// A number that belongs to it; see [`Kind`].
    pub value: u32,
    /// Its bytes.
    pub place: Place,
    /// The lengths of a fragmented message's parts, in the batch's `fragments`.
    pub fragments: Range<usize>,
}

impl Event {
    fn new(kind: Kind, value: u32, place: Place, fragments: Range<usize>) -> Self {
        Self {
            kind,
            value,
            place,
            fragments,
        }
    }
}

/// Whose events a chunk has.
pub enum Owner {
    /// A [`Connection`](super::Connection)'s, a [`Listener`](super::Listener)'s or a [`HubMember`](super::HubMember)'s, without
    /// its type: they make events, and this module is below them. See [`Owner::downcast`].
    Source(Arc<dyn Any + Send + Sync>),
    /// The event of a task.
    Task {
        /// The bridge whose table the id is of.
        bridge: u32,
        /// The id JavaScript knows the task by.
        id: u32,
    },
}

impl Owner {
    /// The connection, listener or member, if it is a `T`.
    pub fn downcast<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        match self {
            Self::Source(source) => Arc::clone(source).downcast().ok(),
            Self::Task { .. } => None,
        }
    }
}

/// The events of one poll.
pub struct Chunk {
    /// Whose they are.
    pub owner: Owner,
    /// Which of the batch's events.
    pub events: Range<usize>,
    /// What they take, payloads and what was read between them.
    pub bytes: usize,
    /// They are, or begin with, what an earlier poll had read and a job has inflated since.
    pub from_earlier_read: bool,
}

/// How much memory a batch that was emptied keeps, in bytes.
const KEPT: usize = 2 * READ_SIZE;

/// The events of one or more polls, as chunks.
#[derive(Default)]
pub struct Batch {
    /// One for each poll that had events, in order.
    pub chunks: Vec<Chunk>,
    /// The events of all chunks.
    pub events: Vec<Event>,
    /// What was read, with the payloads where they came, and payloads that came another way.
    pub arena: Vec<u8>,
    /// Fragment lengths.
    pub fragments: Vec<u32>,
    /// What all chunks take.
    pub bytes: usize,
    /// Polls of connections that brought messages, or parts of them.
    pub busy: usize,
    /// Bytes that these polls compressed.
    pub(super) deflated: usize,
    /// The length of the arena when the last chunk ended.
    chunked: usize,
    /// How many bytes the arena of the batch before had.
    expected: usize,
}

impl Batch {
    /// Adds an event without payload to the chunk being made.
    pub fn push(&mut self, kind: Kind, value: u32) {
        self.push_bytes(kind, value, &[]);
    }

    /// Adds an event with a copied payload.
    pub fn push_bytes(&mut self, kind: Kind, value: u32, bytes: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        self.push_place(kind, value, Place::Arena(start..self.arena.len()), 0..0);
    }

    /// Adds what `bytes` mean for `endpoint`.
    pub fn feed(&mut self, endpoint: &mut Endpoint, bytes: &mut [u8]) {
        if let Err(violation) = endpoint.handle_bytes(bytes, self) {
            self.push_violation(violation);
        }
    }

    /// Where to read to: behind what is in the arena, with room for `len` bytes.
    pub(super) fn room(&mut self, len: usize) -> &mut Vec<u8> {
        if self.arena.capacity() == 0 {
            let expected = self.expected + 2 * len;
            self.arena = buffer_pool::take(expected as u64);
            self.arena.reserve(expected);
        }
        self.arena.reserve(len);
        &mut self.arena
    }

    /// Adds an event whose payload was read to the arena, from `start` on.
    pub(super) fn push_read(&mut self, kind: Kind, start: usize) {
        self.push_place(kind, 0, Place::Arena(start..self.arena.len()), 0..0);
    }

    /// Adds what the bytes mean for `endpoint` that were read to the arena, from `start` on. Payloads stay where they are.
    pub(super) fn feed_read(&mut self, endpoint: &mut Endpoint, start: usize) {
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
            self.push_violation(violation);
        }
    }

    /// Adds what the bytes mean that were appended to the memory `endpoint` gave for them.
    pub(super) fn advance_payload(&mut self, endpoint: &mut Endpoint, added: usize) {
        if let Err(violation) = endpoint.advance_payload(added, self) {
            self.push_violation(violation);
        }
    }

    /// Adds what a job inflated for `endpoint`, and what its bytes behind mean.
    pub fn finish(&mut self, endpoint: &mut Endpoint, job: InflateJob) {
        if let Err(violation) = endpoint.finish_job(job, self) {
            self.push_violation(violation);
        }
    }

    /// Adds a violation.
    pub(super) fn push_violation(&mut self, violation: Violation) {
        self.push(Kind::Violation, violation.kind() | violation.detail() << 8);
    }

    /// Adds an event with a payload of its own.
    pub(super) fn push_owned(&mut self, kind: Kind, bytes: Vec<u8>) {
        self.push_place(kind, 0, Place::Owned(bytes), 0..0);
    }

    /// Adds an event with a payload that others have, too.
    pub(super) fn push_shared(&mut self, kind: Kind, value: u32, bytes: Bytes) {
        self.push_place(kind, value, Place::Shared(bytes), 0..0);
    }

    fn push_place(&mut self, kind: Kind, value: u32, place: Place, fragments: Range<usize>) {
        self.events.push(Event::new(kind, value, place, fragments));
    }

    /// Ends the chunk of the events pushed since `first`; none pushed, no chunk.
    pub(super) fn end_chunk(
        &mut self,
        first: usize,
        from_earlier_read: bool,
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
        let read = self.arena.len() - mem::replace(&mut self.chunked, self.arena.len());
        let bytes = events.len() * size_of::<Event>() + owned + read;
        self.bytes += bytes;
        self.chunks.push(Chunk {
            owner: owner(),
            events,
            bytes,
            from_earlier_read,
        });
        bytes
    }

    /// Whether the events from `first` on are of messages, or none because one is still arriving.
    pub(super) fn has_messages(&self, first: usize) -> bool {
        self.events.get(first).is_none_or(|event| {
            matches!(
                event.kind,
                Kind::Text | Kind::Binary | Kind::Ping | Kind::Pong
            )
        })
    }

    /// Whether there is nothing to deliver.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
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
        self.chunked = 0;
        self.busy = 0;
        self.deflated = 0;
        self.chunks.clear();
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

fn kind_of(message: &Message<'_>) -> Kind {
    if message.is_binary {
        Kind::Binary
    } else {
        Kind::Text
    }
}

/// Appends the lengths of a message's fragments, and tells where they are.
fn add_fragments(fragments: &mut Vec<u32>, message: &Message<'_>) -> Range<usize> {
    let start = fragments.len();
    fragments.extend_from_slice(message.fragments);
    start..fragments.len()
}

/// Takes events whose bytes may lie anywhere.
impl Sink for Batch {
    fn message(&mut self, message: Message<'_>) {
        let kind = kind_of(&message);
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
