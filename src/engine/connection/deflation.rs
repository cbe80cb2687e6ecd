//! What a connection compresses outside of `send()`: in its turn, or on another thread.

use super::input::Phase;
use super::state::State;
use crate::protocol::deflate::DeflateJob;
use crate::protocol::{Config, Endpoint, Limits, Role};

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
