//! What polls produce: events of connections, in order, with their payloads.

mod batch;
mod in_place;

use std::any::Any;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use bytes::Bytes;

use crate::protocol::Message;

pub use batch::Batch;

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
    /// The peer broke the protocol: `value` is the kind in the low 7 bits, [`AFTER_INFLATION`], and the detail from the
    /// ninth on.
    Violation = 16,
    /// The peer will send no more: `value` is 1 for a connection that JavaScript has not opened. If it has done so
    /// meanwhile, that is told again, after what came with the head.
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
    /// is opened, after what came with the head.
    Failed = 29,
    /// A send or write that was tracked is with the kernel: [`Connection::written`](super::Connection::written) tells which.
    Written = 30,
    /// No more bytes wait than [`Connection::notify_buffered_amount_low`](super::Connection::notify_buffered_amount_low) named.
    BufferedAmountLow = 31,
    /// There was no room for so many messages of others.
    Lost = 32,
    /// No more is read of a connection that JavaScript has not opened before it takes what is parked: the peer has ended,
    /// or there is no room.
    ReadStopped = 33,
}

impl Kind {
    fn of(message: &Message<'_>) -> Self {
        if message.is_binary {
            Self::Binary
        } else {
            Self::Text
        }
    }

    /// Whether it is a message, or else decoded from the peer's bytes. The others are of the socket, or bytes as they came.
    pub fn is_decoded(self) -> bool {
        (self as u32) < Self::End as u32
    }
}

/// Added to a [`Kind::Violation`] where something was inflated of what was read with it.
pub(super) const AFTER_INFLATION: u32 = 1 << 7;

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

/// Whose events they are.
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
            Self::Source(source) if source.is::<T>() => Arc::clone(source).downcast().ok(),
            _ => None,
        }
    }

    /// Whether they are of this one.
    pub fn is<T>(&self, source: &T) -> bool {
        matches!(self, Self::Source(own) if ptr::addr_eq(Arc::as_ptr(own), source))
    }
}

/// How the events of a poll came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From a stream of bytes, which might have been read later, together with what came next.
    Stream,
    /// By themselves, as from one TLS record.
    Unit,
    /// They are, or begin with, what an earlier poll had read and a job has inflated since.
    EarlierRead,
}

/// The events of one poll.
pub struct PollEvents {
    /// Whose they are.
    pub owner: Owner,
    /// Which of the batch's events.
    pub events: Range<usize>,
    /// What they take, payloads and what was read between them.
    pub bytes: usize,
    /// How they came.
    pub origin: Origin,
    /// JavaScript had still to take others of this source when they came.
    pub follows: bool,
}

/// Appends the lengths of a message's fragments, and tells where they are.
fn add_fragments(fragments: &mut Vec<u32>, message: &Message<'_>) -> Range<usize> {
    let start = fragments.len();
    fragments.extend_from_slice(message.fragments);
    start..fragments.len()
}
