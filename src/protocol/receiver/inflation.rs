//! Compressed frames on their way into their message, here or on another thread.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Frame, Receiver, Sink};
use crate::protocol::deflate::Inflater;
use crate::protocol::message::Assembly;
use crate::protocol::violation::{InflateFault, Violation};

/// How many bytes of a frame, in and out, are inflated at once: about a quarter of a millisecond. What
/// is left then becomes a job.
pub(super) const BUDGET: usize = 256 * 1024;

/// How many bytes of all frames that are handed in at once, until the next one becomes a job: short frames may inflate to
/// a thousand times their length, and there are hundreds of them in one read.
pub(super) const TOTAL_BUDGET: usize = 1024 * 1024;

/// A frame is inflated elsewhere, and nothing is parsed meanwhile.
#[derive(Debug)]
pub(super) struct PendingInflate {
    /// The job, until it is taken.
    job: Option<InflateJob>,
    /// The bytes that came after the frame, from `start` on.
    trailing: Vec<u8>,
    start: usize,
}

impl PendingInflate {
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.trailing.extend_from_slice(bytes);
    }
}

/// A compressed frame, and what is needed to inflate it.
#[derive(Debug)]
struct Inflation {
    inflater: Inflater,
    assembly: Assembly,
    /// Whether the frame is the last one of its message.
    fin: bool,
    /// Most bytes of the message, 0 for no limit.
    limit: u64,
    /// How many bytes of the frame are done.
    fed: usize,
}

impl Inflation {
    /// Inflates until the frame is done or more than `budget` bytes went in and out. True if it is done.
    fn advance(&mut self, data: &[u8], budget: usize) -> Result<bool, Violation> {
        let end = self.spent().saturating_add(budget);
        while self.spent() < end {
            let fed = &mut self.fed;
            let is_done =
                self.assembly
                    .inflate(&mut self.inflater, data, self.fin, fed, self.limit)?;
            if is_done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn spent(&self) -> usize {
        self.fed + self.assembly.len()
    }
}

/// The inflation of one large frame, to be run on any thread while its receiver waits.
#[derive(Debug)]
pub struct InflateJob {
    inflation: Inflation,
    data: Vec<u8>,
    result: Option<Result<(), Violation>>,
}

impl InflateJob {
    /// Inflates to the end. A second run does nothing.
    pub fn run(&mut self) {
        if self.result.is_none() {
            let data = mem::take(&mut self.data);
            // A panic is reported by the hook. The job has to come back all the same: its connection waits for it.
            let inflation = AssertUnwindSafe(|| self.inflation.advance(&data, usize::MAX));
            let result =
                catch_unwind(inflation).unwrap_or(Err(Violation::Inflate(InflateFault::new(None))));
            self.result = Some(result.map(|_| ()));
        }
    }
}

impl Receiver {
    /// A frame that takes long to inflate, if the bytes handed in last have completed one. Until it
    /// comes back with [`finish_job`](Self::finish_job) no more bytes should be handed in: they are kept.
    pub fn take_job(&mut self) -> Option<InflateJob> {
        self.pending_inflate.as_mut()?.job.take()
    }

    /// Goes on where the job began, with what it has inflated and the bytes that came after it. There
    /// may be another job then.
    pub fn finish_job(
        &mut self,
        mut job: InflateJob,
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        job.run();
        self.left = TOTAL_BUDGET;
        let (mut trailing, start) = self
            .pending_inflate
            .take()
            .map_or_else(Default::default, |pending_inflate| {
                (pending_inflate.trailing, pending_inflate.start)
            });
        let result = job
            .result
            .unwrap_or(Ok(()))
            .and_then(|()| self.end_inflation(job.inflation, sink))
            .and_then(|()| self.parse(&mut trailing[start..], sink));
        match (result, &mut self.pending_inflate) {
            (Ok(left), Some(pending_inflate)) => {
                pending_inflate.start = trailing.len() - left;
                pending_inflate.trailing = trailing;
                Ok(())
            }
            (result, _) => self.ended(result),
        }
    }

    pub(super) fn end_compressed_frame(
        &mut self,
        frame: &Frame,
        piece: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        self.count_fragment()?;
        let Some(inflater) = self.inflater.take() else {
            return Err(Violation::UnexpectedRsv1);
        };
        self.has_inflated = true;
        let payload = self.whole_payload(frame, piece);
        let mut inflation = Inflation {
            inflater,
            assembly: mem::take(&mut self.assembly),
            fin: frame.fin,
            limit: stricter(self.limits.max_payload, self.max_inflated),
            fed: 0,
        };
        let spent = inflation.spent();
        let is_done = inflation.advance(&payload, self.budget.min(self.left))?;
        self.left = self.left.saturating_sub(inflation.spent() - spent);
        if is_done {
            return self.end_inflation(inflation, sink);
        }
        let job = InflateJob {
            inflation,
            data: payload.into_owned(),
            result: None,
        };
        self.pending_inflate = Some(Box::new(PendingInflate {
            job: Some(job),
            trailing: Vec::new(),
            start: 0,
        }));
        Ok(())
    }

    fn end_inflation(
        &mut self,
        inflation: Inflation,
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        self.inflater = Some(inflation.inflater);
        self.assembly = inflation.assembly;
        self.end_fragment(inflation.fin, sink)
    }
}

/// The lower of two limits, of which 0 is none.
fn stricter(one: u64, other: u64) -> u64 {
    match (one, other) {
        (0, limit) | (limit, 0) => limit,
        (one, other) => one.min(other),
    }
}
