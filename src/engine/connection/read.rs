//! How a connection reads.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Connection;
use super::state::State;
use crate::engine::events::Batch;
use crate::engine::stream::{READ_SIZE, Stream};
use crate::engine::sync::lock;
use crate::engine::thread_pool::Effort;
use crate::protocol::receiver::InflateJob;

impl State {
    /// Whether there is something to read; if not, `context` is woken when there is.
    pub(super) fn has_bytes(&self, context: &mut Context<'_>) -> bool {
        let is_ready = |stream: &Stream| stream.poll_read_ready(context).is_ready();
        self.input.can_read() && self.stream.as_ref().is_some_and(is_ready)
    }

    /// Reads, and once more if that has only begun a long message: a second one that ended in the same chunk would
    /// pass a `pause()` in the first. What is parked is no message, and a reset may have come with it. Returns whether there
    /// is more.
    pub(super) fn read_twice(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> bool {
        let events = batch.events.len();
        let again = self.read(connection, context, batch, false);
        if again && batch.events.len() == events {
            let is_parked = self.input.has_parked();
            if is_parked || self.input.payload_buffer().is_some() {
                return self.read(connection, context, batch, is_parked);
            }
        }
        again
    }

    /// Reads once, with `is_after_parked` right after bytes that were parked. Returns whether there is more.
    fn read(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        batch: &mut Batch,
        is_after_parked: bool,
    ) -> bool {
        if !self.input.can_read() || connection.is_backpressured() {
            return false;
        }
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let start = batch.arena.len();
        let (memory, room, is_direct) = match self.input.payload_buffer() {
            Some((memory, room)) => (memory, room, true),
            None => (batch.room(READ_SIZE), self.input.room(), false),
        };
        let read = if self.broken {
            stream.read_now(memory, room, !is_direct)
        } else {
            stream.poll_read(context, memory, room, !is_direct)
        };
        match read {
            Poll::Pending => false,
            Poll::Ready(Ok(0)) => {
                self.input.eof = !self.broken;
                // Half a head is for Node's parser to refuse.
                self.input.give_up(batch);
                false
            }
            Poll::Ready(Ok(n)) => {
                let more = n == room || self.broken || stream.poll_read_ready(context).is_ready();
                if is_direct {
                    self.input.advance_payload(n, batch);
                } else {
                    let job = self.input.take(start, batch);
                    self.inflate(connection, job);
                }
                more
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => true,
            // To libuv a reset right after bytes is an end.
            Poll::Ready(Err(_)) if is_after_parked => {
                self.input.eof = true;
                false
            }
            Poll::Ready(Err(error)) => {
                self.fail(&error);
                false
            }
        }
    }

    /// A large message is inflated elsewhere.
    pub(super) fn inflate(&mut self, connection: &Arc<Connection>, job: Option<InflateJob>) {
        let Some(mut job) = job else { return };
        let inflating = Arc::clone(connection);
        connection.run_job(Effort::Large, move || {
            job.run();
            lock(&inflating.state).input.end_inflation(job);
            inflating.schedule();
        });
    }
}
