//! What a connection compresses outside of `send()`: in its poll, or on another thread. Step by step, so that the delay
//! of one connection does not grow with what others have sent.

use std::sync::Arc;
use std::time::Instant;

use super::Connection;
use super::phase::Phase;
use super::state::State;
use crate::engine::events::Batch;
use crate::engine::sync::lock;
use crate::engine::thread_pool::Effort;
use crate::protocol::deflate::DeflateJob;
use crate::protocol::{Config, Endpoint, Limits, Role};

/// Bytes that one step compresses, unless its only message is longer, and that the polls of a batch compress together.
/// What comes above them waits for what other connections have to compress.
const DEFLATE_STEP: usize = 16 * 1024;

impl Connection {
    /// Compresses what a poll found, `length` bytes in all: on the pool, if it would keep other connections waiting here.
    pub(super) fn deflate_in_poll(
        self: &Arc<Self>,
        job: DeflateJob,
        length: usize,
        batch: &mut Batch,
    ) {
        if batch.deflated + length < DEFLATE_STEP {
            batch.deflated += length;
            // What JavaScript sends meanwhile is one step's worth at most.
            let next = self.deflate_step(job);
            self.flush();
            if let Some(next) = next {
                self.deflate_on_pool(next);
            }
        } else {
            self.deflate_on_pool(job);
        }
    }

    /// Compresses one message after the other, as long as the connection is open and they are one step. JavaScript can
    /// send meanwhile. Answers with the message that is next.
    pub(super) fn deflate_step(&self, job: DeflateJob) -> Option<DeflateJob> {
        let mut done = 0;
        let mut next = Some(job);
        while let Some(mut job) =
            next.take_if(|job| done == 0 || done + job.payload_len() <= DEFLATE_STEP)
        {
            if self.is_stream_gone() {
                return None;
            }
            done += job.payload_len();
            job.run();
            next = lock(&self.state).exchange_deflate_job(Some(job));
        }
        next
    }

    /// The same on the pool, step by step: what it does for other connections comes in between.
    pub(super) fn deflate_on_pool(self: &Arc<Self>, job: DeflateJob) {
        let effort = Effort::of(job.payload_len());
        let connection = Arc::clone(self);
        self.run_job(effort, move || {
            let next = connection.deflate_step(job);
            connection.flush();
            if let Some(next) = next {
                connection.deflate_on_pool(next);
            }
        });
    }

    fn is_stream_gone(&self) -> bool {
        lock(&self.state).stream.is_none()
    }
}

impl State {
    /// Takes back the message that was compressed, and answers with the next one.
    pub(super) fn exchange_deflate_job(&mut self, done: Option<DeflateJob>) -> Option<DeflateJob> {
        // An endpoint that was given away left without its compressor: the job has it. Another one is all it takes.
        let mut other = None;
        let (endpoint, is_ours) = match &mut self.input.phase {
            Phase::Open { endpoint, .. } => (endpoint, true),
            _ => (other.get_or_insert_with(bare_endpoint), false),
        };
        if let Some(job) = done {
            self.output.end_deflation(&endpoint.finish_deflate_job(job));
        }
        let mut next = self.output.take_deflate_job(endpoint);
        while !is_ours && let Some(job) = next {
            self.output.end_deflation(&endpoint.finish_deflate_job(job));
            next = self.output.take_deflate_job(endpoint);
        }
        next
    }

    /// What a poll is to compress, and how many bytes wait in all.
    pub(super) fn first_deflate_job(&mut self) -> Option<(DeflateJob, usize)> {
        if !self.output.is_blocked_by_compression() {
            return None;
        }
        let job = self.exchange_deflate_job(None)?;
        let length = job.payload_len() + self.output.blocked_bytes();
        Some((job, length))
    }

    /// Compresses all that waits, here and now, unless that takes longer than until `deadline`.
    pub(super) fn deflate_here_until(&mut self, deadline: Option<Instant>) {
        let is_in_time = || deadline.is_none_or(|deadline| Instant::now() < deadline);
        let mut next = is_in_time()
            .then(|| self.exchange_deflate_job(None))
            .flatten();
        while let Some(mut job) = next.take_if(|_| is_in_time()) {
            job.run();
            next = self.exchange_deflate_job(Some(job));
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
