//! Work that JavaScript waits for: its result is an event.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Engine;
use super::events::{Batch, Kind, Owner};
use super::run_queue::{Pollable, RunQueue};
use super::thread_pool::Effort;
use crate::protocol::Violation;
use crate::protocol::deflate::InflateFault;

/// What a task ends with: bytes, or what is wrong with those that it was given.
pub type Outcome = Result<Vec<u8>, Violation>;

/// Something that JavaScript waits for under an id of its bridge.
pub struct Task {
    ready: Arc<RunQueue>,
    bridge: u32,
    id: u32,
}

impl Task {
    /// Runs `work`, which takes long, on another thread, and ends with its outcome.
    pub fn run(self, effort: Effort, work: impl FnOnce() -> Outcome + Send + 'static) {
        let ready = Arc::clone(&self.ready);
        ready.run_job(effort, move || {
            if self.ready.is_closed() {
                return;
            }
            // A panic is reported by the hook; whoever waits must hear of it.
            let outcome = catch_unwind(AssertUnwindSafe(work));
            self.end(outcome.unwrap_or(Err(Violation::Inflate(InflateFault::new(None)))));
        });
    }

    /// Has the outcome delivered, from any thread.
    pub fn end(self, outcome: Outcome) {
        let Self { ready, bridge, id } = self;
        let ended = Ended {
            bridge,
            id,
            outcome,
        };
        ready.push(Pollable::Ended(Box::new(ended)));
    }
}

impl Engine {
    /// A task that JavaScript knows by `id`.
    pub fn task(&self, bridge: u32, id: u32) -> Task {
        Task {
            ready: Arc::clone(&self.ready),
            bridge,
            id,
        }
    }
}

/// A task that is over, and that JavaScript has not heard of.
pub struct Ended {
    bridge: u32,
    id: u32,
    outcome: Outcome,
}

impl Ended {
    pub(super) fn poll(self, batch: &mut Batch) {
        let first = batch.events.len();
        match self.outcome {
            Ok(bytes) => batch.push_owned(Kind::Done, bytes),
            Err(violation) => batch.push_violation(violation),
        }
        batch.end_chunk(first, false, || Owner::Task {
            bridge: self.bridge,
            id: self.id,
        });
    }
}
