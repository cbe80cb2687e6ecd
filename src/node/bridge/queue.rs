//! What waits to be delivered to JavaScript, in order.
//!
//! A listener may run the event loop itself (deasync, a modal dialogue of Electron), and what comes then is delivered
//! while it waits. So the queue is the environment's and not a delivery's: each delivery takes what is first. Only a
//! connection whose messages are just being delivered gets no others before that is over.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::{Batch, Connection, Event, Kind, PollEvents};

/// A batch, shared by what is still to be delivered of it.
pub(crate) type SharedBatch = Rc<RefCell<Batch>>;

/// Events of one poll that are delivered together.
pub(crate) struct Run {
    pub(crate) batch: SharedBatch,
    /// Which of the batch's polls.
    pub(crate) poll: usize,
    /// Which of the batch's events.
    pub(crate) events: Range<usize>,
}

/// A connection whose messages are being delivered, and what came for it meanwhile.
struct Busy {
    connection: Arc<Connection>,
    waiting: Vec<Run>,
}

/// What waits to be delivered.
#[derive(Default)]
pub(crate) struct Queue {
    runs: VecDeque<Run>,
    /// Those of the deliveries under way, the innermost one's last.
    busy: Vec<Busy>,
}

impl Queue {
    /// Adds the events of all polls of a batch.
    pub(super) fn push(&mut self, batch: &SharedBatch) {
        for (poll, PollEvents { events, .. }) in batch.borrow().polls.iter().enumerate() {
            self.runs.push_back(Run {
                batch: Rc::clone(batch),
                poll,
                events: events.clone(),
            });
        }
    }

    /// Takes the first events that may be delivered now.
    pub(super) fn pop(&mut self) -> Option<Run> {
        while let Some(mut run) = self.runs.pop_front() {
            if let Some(busy) = self.busy_with(&run) {
                busy.waiting.push(run);
                continue;
            }
            let end = run.events.start + run_length(&run.batch.borrow().events[run.events.clone()]);
            if end < run.events.end {
                self.runs.push_front(Run {
                    batch: Rc::clone(&run.batch),
                    poll: run.poll,
                    events: end..run.events.end,
                });
                run.events.end = end;
            }
            return Some(run);
        }
        None
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a delivery is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.busy.is_empty()
    }

    /// The delivery that the run has to wait for.
    fn busy_with(&mut self, run: &Run) -> Option<&mut Busy> {
        if self.busy.is_empty() {
            return None;
        }
        let batch = run.batch.borrow();
        let connection = batch.polls[run.poll].owner.downcast::<Connection>()?;
        self.busy
            .iter_mut()
            .find(|busy| Arc::ptr_eq(&busy.connection, &connection))
    }
}

/// How many of a poll's events are delivered together: messages are, while what is told of the socket comes by itself,
/// as it does from libuv. Nobody hears of a connection that is accepted before its request is there.
fn run_length(events: &[Event]) -> usize {
    if let [first, second, ..] = events
        && (first.kind, second.kind) == (Kind::Accepted, Kind::Head)
    {
        return 2;
    }
    events
        .iter()
        .position(|event| !event.kind.is_decoded())
        .unwrap_or(events.len())
        .max(1)
}

/// While it lives, what comes for its connection waits. Those of several deliveries end in reverse order.
pub(crate) struct Delivering<'a>(&'a RefCell<Queue>);

impl<'a> Delivering<'a> {
    /// Has what comes for the connection wait, if the first event of a run is one that others must not overtake.
    pub(crate) fn begin(
        queue: &'a RefCell<Queue>,
        connection: &Arc<Connection>,
        first: Kind,
    ) -> Option<Self> {
        if !first.is_decoded() && first != Kind::Chunk {
            return None;
        }
        queue.borrow_mut().busy.push(Busy {
            connection: Arc::clone(connection),
            waiting: Vec::new(),
        });
        Some(Self(queue))
    }
}

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        if let Some(Busy { waiting, .. }) = queue.busy.pop() {
            for run in waiting.into_iter().rev() {
                queue.runs.push_front(run);
            }
        }
    }
}
