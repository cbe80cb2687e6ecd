//! What a listener and the connections that it accepted share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::Waker;

use super::sync::lock;

/// Counts the connections of a listener that JavaScript has not been told of.
pub struct AcceptState {
    /// The id JavaScript knows the listener by.
    id: AtomicU32,
    unreported: AtomicUsize,
    /// Set while a closed listener waits for them.
    closed: Mutex<Option<Waker>>,
}

impl AcceptState {
    /// For a listener without an id.
    pub(super) fn new(id: u32) -> Self {
        Self {
            id: AtomicU32::new(id),
            unreported: AtomicUsize::new(0),
            closed: Mutex::new(None),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    pub(super) fn set_id(&self, id: u32) {
        self.id.store(id, Ordering::Relaxed);
    }

    /// One more was accepted.
    pub(super) fn count_accepted(&self) {
        self.unreported.fetch_add(1, Ordering::AcqRel);
    }

    /// JavaScript knows one more. A closed listener is woken to look whether that was the last one.
    pub(super) fn count_reported(&self) {
        self.unreported.fetch_sub(1, Ordering::AcqRel);
        if let Some(waker) = &*lock(&self.closed) {
            waker.wake_by_ref();
        }
    }

    /// The listener accepts no more: `waker` is woken for each connection that JavaScript is told of.
    pub(super) fn close(&self, waker: Waker) {
        *lock(&self.closed) = Some(waker);
    }

    /// The listener need not be woken any more: it and this hold each other until then.
    pub(super) fn forget(&self) {
        *lock(&self.closed) = None;
    }

    /// Whether the listener is closed and JavaScript knows all connections: true once.
    pub(super) fn take_closed(&self) -> bool {
        let is_over = self.unreported.load(Ordering::Acquire) == 0;
        is_over && lock(&self.closed).take().is_some()
    }
}
