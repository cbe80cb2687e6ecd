//! What a connection compresses outside of `send()`: in its turn, or on another thread.

use std::sync::Arc;

use super::Connection;
use super::input::Phase;
use super::state::State;
use crate::engine::batch::Batch;
use crate::engine::jobs::Effort;
use crate::engine::ready::lock;
use crate::protocol::deflate::DeflateJob;
use crate::protocol::{Config, Endpoint, Limits, Role};

/// Bytes that the turns of a batch compress. What comes above them is compressed by other threads: it would keep other
/// connections waiting.
const MAX_DEFLATED: usize = 16 * 1024;

/// From this many bytes on compressing takes a millisecond or more.
const LARGE_DEFLATION: usize = 128 * 1024;

impl Connection {
    /// What a turn found to compress, `length` bytes in all.
    pub(super) fn begin_deflating(
        self: &Arc<Self>,
        job: DeflateJob,
        length: usize,
        batch: &mut Batch,
    ) {
        if batch.deflated + length < MAX_DEFLATED {
            batch.deflated += length;
            self.deflate(job);
            self.flush();
        } else {
            self.deflate_elsewhere(job, length);
        }
    }

    /// Compresses one message after the other, as long as the connection is open. JavaScript can send meanwhile.
    fn deflate(&self, job: DeflateJob) {
        let mut next = Some(job);
        while let Some(mut job) = next
            && self.with_stream(|_| ()).is_some()
        {
            job.run();
            next = lock(&self.state).next_deflation(Some(job));
        }
    }

    /// The same on another thread, for `length` bytes in all.
    pub(super) fn deflate_elsewhere(self: &Arc<Self>, job: DeflateJob, length: usize) {
        let connection = Arc::clone(self);
        let effort = if length < LARGE_DEFLATION {
            Effort::Small
        } else {
            Effort::Large
        };
        self.engine.run_job(effort, move || {
            connection.deflate(job);
            connection.flush();
        });
    }
}

impl State {
    /// Takes back the message that was compressed, and answers with the next one.
    pub(super) fn next_deflation(&mut self, done: Option<DeflateJob>) -> Option<DeflateJob> {
        // An endpoint that was given away left without its compressor: the job has it. Another one is all it takes.
        let mut other = None;
        let (endpoint, is_ours) = match &mut self.input.phase {
            Phase::Open { endpoint, .. } => (endpoint, true),
            _ => (other.get_or_insert_with(bare_endpoint), false),
        };
        if let Some(job) = done {
            self.output.end_deflation(&endpoint.finish_deflate_job(job));
        }
        let mut next = self.output.next_deflation(endpoint);
        while !is_ours && let Some(job) = next {
            self.output.end_deflation(&endpoint.finish_deflate_job(job));
            next = self.output.next_deflation(endpoint);
        }
        next
    }

    /// What a turn is to compress, and how many bytes wait in all.
    pub(super) fn begin_deflation(&mut self) -> Option<(DeflateJob, usize)> {
        if !self.output.is_held_up() {
            return None;
        }
        let job = self.next_deflation(None)?;
        let length = job.payload_len() + self.output.held_up_bytes();
        Some((job, length))
    }

    /// Compresses all that waits, here and now.
    pub(super) fn deflate(&mut self) {
        let mut next = self.next_deflation(None);
        while let Some(mut job) = next {
            job.run();
            next = self.next_deflation(Some(job));
        }
    }
}

/// One that compresses with what a job gives back.
fn bare_endpoint() -> Box<Endpoint> {
    Box::new(Endpoint::new(Config {
        role: Role::Server,
        limits: Limits::default(),
        skip_utf8_validation: true,
        deflate: None,
    }))
}
