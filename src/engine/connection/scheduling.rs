//! When a connection is polled: its place on the list of what is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures_task::ArcWake;

use super::Connection;
use crate::engine::run_queue::Pollable;

/// Not on the list.
const ABSENT: u8 = 0;
/// On the list, for the first time: nobody was woken for it.
const REGISTERED: u8 = 1;
/// On the list, and to be polled without waiting for the kernel's next event.
const URGENT: u8 = 2;
/// On the list twice: only the last entry counts.
const MOVED: u8 = 3;
/// At the front of the list, and not to be moved.
const FIRST: u8 = 4;

/// Whether a connection is on the list: one of the above.
pub(super) struct Waiting(AtomicU8);

impl Waiting {
    /// That of a connection whose socket is about to be registered.
    pub(super) fn registered() -> Self {
        Self(AtomicU8::new(REGISTERED))
    }
}

impl Connection {
    pub(super) fn as_pollable(self: &Arc<Self>) -> Pollable {
        Pollable::Source(Arc::<Self>::clone(self))
    }

    /// Asks to be polled.
    pub(super) fn schedule(self: &Arc<Self>) {
        self.enlist(URGENT);
    }

    /// Has the connection polled. The first poll comes with the kernel's first event of a socket that was just registered.
    pub(super) fn schedule_after_registration(self: &Arc<Self>) {
        if self.waiting.0.load(Ordering::Acquire) != REGISTERED {
            self.schedule();
        }
    }

    /// Has the connection polled before those that are on the list. Where it is on it, too, there is one poll too many.
    pub(super) fn schedule_first(self: &Arc<Self>) {
        self.waiting.0.store(FIRST, Ordering::Release);
        self.engine.schedule_first(self.as_pollable());
    }

    /// Puts the connection on the list. `again` is what becomes of one that is there already: [`URGENT`] leaves it in its
    /// place, [`MOVED`] takes it to the end.
    fn enlist(self: &Arc<Self>, again: u8) {
        let next = |waiting| match waiting {
            ABSENT | REGISTERED => URGENT,
            URGENT => again,
            _ => waiting,
        };
        let Waiting(waiting) = &self.waiting;
        let (Ok(before) | Err(before)) =
            waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |each| Some(next(each)));
        match before {
            ABSENT => self.engine.schedule(self.as_pollable()),
            REGISTERED => self.engine.urge(),
            URGENT if again == MOVED => self.engine.schedule(self.as_pollable()),
            _ => {}
        }
    }

    /// Takes the connection from the list. Returns false if it is there once more.
    pub(super) fn delist(&self) -> bool {
        let Waiting(waiting) = &self.waiting;
        // Acquires what was done by who found the connection on the list, and left it to this poll.
        let is_moved = waiting.swap(ABSENT, Ordering::AcqRel) == MOVED;
        if is_moved {
            // Unless it has been put on the list a third time meanwhile: then there is one poll too many.
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            let _ = waiting.compare_exchange(ABSENT, URGENT, success, failure);
        }
        !is_moved
    }
}

/// What the kernel tells is read in the order in which it is told: of two messages, one of which answers the other, the first
/// is delivered first, though the connection of the second was on the list before.
impl ArcWake for Connection {
    fn wake_by_ref(connection: &Arc<Self>) {
        connection.enlist(MOVED);
    }
}
