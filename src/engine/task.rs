//! Work that JavaScript waits for: its result is an event.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::events::{Batch, Kind, Origin, Owner};
use super::run_queue::{Pollable, RunQueue};
use super::runtime::Engine;
use super::thread_pool::Effort;
use crate::protocol::Violation;
use crate::protocol::violation::InflateFault;

/// What a task ends with: bytes, or what is wrong with those that it was given.
pub type Outcome = Result<Vec<u8>, Violation>;

/// Something that JavaScript waits for under an id of its bridge.
pub struct Task {
    run_queue: Arc<RunQueue>,
    bridge: u32,
    id: u32,
}

impl Task {
    /// Runs `work`, which takes long, on another thread, and ends with its outcome.
    pub fn run(self, effort: Effort, work: impl FnOnce() -> Outcome + Send + 'static) {
        let run_queue = Arc::clone(&self.run_queue);
        run_queue.run_job(effort, move || {
            if self.run_queue.is_closed() {
                return;
            }
            // A panic is reported by the hook; the callback must hear of it all the same.
            let outcome = catch_unwind(AssertUnwindSafe(work));
            self.end(outcome.unwrap_or(Err(Violation::Inflate(InflateFault::new(None)))));
        });
    }

    /// Has the outcome delivered, from any thread.
    pub fn end(self, outcome: Outcome) {
        let Self {
            run_queue,
            bridge,
            id,
        } = self;
        run_queue.push(Pollable::Once(Box::new(move |batch: &mut Batch| {
            report(bridge, id, outcome, batch);
        })));
    }

    /// Adds that it is over, and made nothing, to a batch.
    pub fn end_in(self, batch: &mut Batch) {
        report(self.bridge, self.id, Ok(Vec::new()), batch);
    }
}

fn report(bridge: u32, id: u32, outcome: Outcome, batch: &mut Batch) {
    let first = batch.events.len();
    match outcome {
        Ok(bytes) => batch.push_owned(Kind::Done, bytes),
        Err(violation) => batch.push_violation(violation),
    }
    batch.end_poll(first, Origin::Unit, || Owner::Task { bridge, id });
}

impl Engine {
    /// A task that JavaScript knows by `id`.
    pub fn task(&self, bridge: u32, id: u32) -> Task {
        Task {
            run_queue: self.run_queue(),
            bridge,
            id,
        }
    }
}
