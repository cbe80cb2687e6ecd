//! One frame for many connections.

use std::sync::Arc;
use std::task::Context;

use bytes::Bytes;

use super::phase::Phase;
use super::state::State;
use super::{Connection, Flush};

/// A message that is framed, for connections that do not mask.
pub struct SharedFrame {
    /// The frame.
    pub bytes: Bytes,
    /// It was compressed, on its own, with a window that the receivers have.
    pub is_compressed: bool,
}

/// What became of a frame for one of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SharedSend {
    /// It is in the queue, or beyond.
    Queued = 0,
    /// Too much waits there already.
    Slow = 1,
    /// It cannot be put in now: something is being compressed, or JavaScript has the endpoint.
    Elsewhere = 2,
    /// Nothing can be sent any more.
    Closed = 3,
}

impl Connection {
    /// Sends a frame that others get, too, unless more than `most` bytes wait already. No message is unfinished.
    pub fn send_shared(
        self: &Arc<Self>,
        frame: &SharedFrame,
        most: usize,
        flush: Flush,
    ) -> SharedSend {
        let mut result = SharedSend::Closed;
        self.break_on_panic(|| {
            self.command(|state, context| result = state.send_shared(context, frame, most, flush));
        });
        result
    }
}

impl State {
    fn send_shared(
        &mut self,
        context: &mut Context<'_>,
        frame: &SharedFrame,
        most: usize,
        flush: Flush,
    ) -> SharedSend {
        if !self.is_writable() {
            return SharedSend::Closed;
        }
        // What was sent in this tick only waits for its end.
        if self.output.pending() > most {
            self.flush(context);
            if self.output.pending() > most {
                return SharedSend::Slow;
            }
        }
        let Phase::Open { endpoint, .. } = &mut self.input.phase else {
            return SharedSend::Elsewhere;
        };
        if self.output.is_blocked_by_compression() {
            return SharedSend::Elsewhere;
        }
        if frame.is_compressed {
            // The receiver's window goes on with this message, and the endpoint does not know it.
            endpoint.forget_context();
        }
        self.output.put_shared(&frame.bytes);
        self.flush_if_now(context, flush);
        SharedSend::Queued
    }
}
