//! Delivery a chunk at a time, for hosts without libuv. Each item of a thread-safe function is a callback scope already,
//! and one that is opened within it runs no ticks: only an item for each chunk gives each connection a scope of its own.

use std::collections::VecDeque;

use super::environment::Environment;
use super::guard::guard;
use crate::engine::Batch;

/// What was taken from the outbox and is still to be delivered.
#[derive(Default)]
pub(super) struct Backlog {
    batches: VecDeque<Batch>,
    /// The first batch's next chunk.
    next: usize,
}

impl Backlog {
    fn deliver_next(&mut self, environment: &Environment) {
        let Some(batch) = self.batches.front_mut() else {
            return;
        };
        let index = self.next;
        self.next += 1;
        guard(|| environment.deliver_chunks(batch, index..index + 1));
        if self.next == batch.chunks.len() {
            self.batches.pop_front();
            self.next = 0;
        }
    }
}

impl Environment {
    /// One item of the thread-safe function: delivers a chunk, and queues another item if more wait. What came
    /// meanwhile waits until the event loop has had its turn.
    pub(super) fn on_item(&self) {
        if self.is_closed() {
            return;
        }
        let Some(mut backlog) = self.backlog.take() else {
            return;
        };
        if backlog.batches.is_empty() {
            backlog.batches.extend(self.outbox.take());
        }
        backlog.deliver_next(self);
        if backlog.batches.is_empty() {
            self.flush();
            self.wakeup.rest();
            if !self.outbox.is_empty() {
                self.wakeup.send_later();
            }
        } else {
            self.wakeup.go_on();
        }
        self.backlog.set(Some(backlog));
    }
}
