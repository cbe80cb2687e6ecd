//! A poll of a connection: read, write, report.

use std::io;
use std::mem;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Connection;
use super::input::Input;
use super::liveness::{Liveness, Signs, Verdict};
use super::output::Output;
use super::phase::Phase;
use crate::engine::errno::errno;
use crate::engine::events::{Batch, Kind, Origin};
use crate::engine::stream::Stream;
use crate::handshake::HeadLimits;
use crate::protocol::Endpoint;

/// All that changes about a connection.
pub(super) struct State {
    /// `None` once it is closed.
    pub(super) stream: Option<Stream>,
    pub(super) input: Input,
    pub(super) output: Output,
    /// It is being adopted, and Node.js is not done with the socket yet: nothing is read or reported before.
    pub(super) awaits_adoption: bool,
    /// Why it was closed, as [`Kind::Closed`] says it; 0 if nothing went wrong.
    pub(super) reason: u32,
    /// What OpenSSL says of it, as [`Kind::Closed`] has it.
    pub(super) reason_text: Option<Box<str>>,
    /// FIN is to be sent after what is queued.
    pub(super) end_wanted: bool,
    /// FIN has been sent.
    pub(super) shut: bool,
    /// A write failed: it is closed when what had arrived before is read.
    pub(super) broken: bool,
    /// To be closed after what has arrived.
    pub(super) close_wanted: bool,
    /// The kernel was full when we wrote last.
    pub(super) is_kernel_full: bool,
    /// The last write ended at its limit, not at the kernel's: the next poll writes on.
    pub(super) writes_on: bool,
    /// The last fan-out that it has, or was left out of.
    pub(super) last_fan_out: u64,
    /// JavaScript wants to hear when what it asked about is written.
    pub(super) notify_written: bool,
    /// JavaScript wants to hear when all is written.
    pub(super) notify_drained: bool,
    /// JavaScript wants to hear when no more bytes than this wait.
    pub(super) low_threshold: Option<usize>,
    /// What the last look for signs of life saw, once there was one: few programs look.
    pub(super) liveness: Option<Box<Liveness>>,
    /// The socket failed, and JavaScript may have bytes to come to before that.
    failing: bool,
    reported_failing: bool,
    reported_closed: bool,
    /// Opened in a tick that has not ended, in which nothing is read: what is sent leaves after that, with the poll that tells
    /// what was read before. Else a peer in this process could hear the answer to a message, and tell of it, before the
    /// message is heard here.
    pub(super) holds_sends: bool,
    /// It was polled before, or was dialled: there is nothing to tell of its beginning, or to wait for.
    is_begun: bool,
}

impl State {
    pub(super) fn new(stream: Stream, phase: Phase, is_begun: bool) -> Self {
        Self {
            stream: Some(stream),
            input: Input::new(phase),
            output: Output::default(),
            awaits_adoption: false,
            reason: 0,
            reason_text: None,
            end_wanted: false,
            shut: false,
            broken: false,
            close_wanted: false,
            is_kernel_full: false,
            writes_on: false,
            last_fan_out: 0,
            notify_written: false,
            notify_drained: false,
            low_threshold: None,
            liveness: None,
            failing: false,
            reported_failing: false,
            reported_closed: false,
            holds_sends: false,
            is_begun,
        }
    }

    /// Returns whether another poll is due at once.
    pub(super) fn poll(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> bool {
        // A connection that JavaScript opens after it was closed has nothing more to say: its id is gone.
        if self.reported_closed {
            return false;
        }
        if self.awaits_adoption {
            self.flush(context);
            return false;
        }
        let is_first = !mem::replace(&mut self.is_begun, true);
        if is_first && let Some(listener) = &connection.listener {
            batch.push(Kind::Accepted, listener.id());
        }
        if let Phase::Connecting(limits) = self.input.phase {
            self.connect(context, limits, batch);
        }
        if !connection.is_written_in_turn() {
            self.flush(context);
        }
        // What has been read is delivered before the end, wanted or not.
        self.input.paused &= self.stream.is_some();
        let inflated = self.input.feed_inflated(batch);
        self.inflate(connection, inflated);
        let events = batch.events.len();
        let early = self.input.feed_early(batch);
        self.inflate(connection, early);
        // A chunk is what is read at once: a `pause()` in it is for what is read next.
        let has_chunk = batch.events.len() > events;
        let again = if has_chunk || self.input.has_early() {
            self.has_bytes(context) || self.input.has_early() || self.broken
        } else if is_first && connection.listener.is_none() {
            // Adopted just now, and not woken by the kernel: those whose bytes came before its own are polled first.
            // If a write has failed already, there may be bytes of which the kernel has not told yet.
            self.has_bytes(context) || self.broken
        } else {
            self.read_twice(connection, context, batch)
        };
        self.flush_session(context);
        if self.close_wanted {
            self.destroy(context, false);
        }
        let is_all_read = !again && !self.input.is_on_hold() && !connection.is_backpressured();
        // Once: what is destroyed has no failure to tell any more, and its end would wait for that.
        if self.broken && self.stream.is_some() && is_all_read {
            self.drop_stream();
        }
        self.input.report_stop(batch);
        self.input.report_end(batch);
        self.close_if_ended();
        self.report(batch);
        if self.stream.is_none() {
            // What is kept for a reader that is paused comes in another poll, before the end.
            return self.input.has_undelivered() && !self.input.is_on_hold();
        }
        again || self.writes_on
    }

    /// The tick in which the connection was opened has ended.
    pub(super) fn end_tick(&mut self) {
        self.input.awaits_tick_end = false;
        self.holds_sends &= self.input.awaits_early_poll;
    }

    /// See [`Connection::poll_early`]. Returns how it has come, if there was something.
    pub(super) fn poll_early(
        &mut self,
        connection: &Arc<Connection>,
        batch: &mut Batch,
    ) -> Option<Origin> {
        if self.awaits_adoption {
            return None;
        }
        if !self.input.has_early_poll() {
            self.release_early();
            return None;
        }
        let origin = match self.stream {
            None => Origin::EarlierRead,
            Some(_) => Origin::Unit,
        };
        let job = self.input.feed_first_early(batch);
        self.inflate(connection, job);
        self.input.count_inflation(batch);
        Some(origin)
    }

    /// See [`Connection::release_early`].
    pub(super) fn release_early(&mut self) -> bool {
        self.holds_sends &= self.input.awaits_tick_end;
        mem::take(&mut self.input.awaits_early_poll)
    }

    /// How what the next poll brings has come.
    pub(super) fn origin(&self) -> Origin {
        match &self.stream {
            None => Origin::EarlierRead,
            _ if self.input.has_inflated() => Origin::EarlierRead,
            Some(Stream::Tls(_)) => Origin::Unit,
            // What came along with the handshake.
            Some(_) if self.input.has_early() => Origin::Unit,
            Some(_) => Origin::Stream,
        }
    }

    fn connect(&mut self, context: &mut Context<'_>, limits: HeadLimits, batch: &mut Batch) {
        let Some(stream) = &self.stream else { return };
        let Poll::Ready(ready) = stream.poll_write_ready(context) else {
            return;
        };
        match ready.and_then(|()| stream.take_error()) {
            Ok(None) => {
                // As ws does it; a socket that refuses works all the same.
                let _ = stream.set_nodelay(true);
                self.input.phase = Phase::response(limits);
                batch.push(Kind::Connected, 0);
            }
            Ok(Some(error)) | Err(error) => self.fail(&error),
        }
    }

    /// Speaks WebSocket from here on, and fails after what has been read, if it has failed.
    pub(super) fn open(&mut self, endpoint: Endpoint, early: &[u8]) {
        self.failing = false;
        self.input.open(endpoint, early);
    }

    pub(super) fn destroy(&mut self, context: &mut Context<'_>, reset: bool) {
        self.failing = false;
        self.flush_fully(context);
        if reset
            && let Some(stream) = &self.stream
            && let Err(error) = stream.reset_on_close()
        {
            self.reason = errno(&error);
        }
        self.stream = None;
    }

    pub(super) fn fail(&mut self, error: &io::Error) {
        if !self.broken {
            self.reason = errno(error);
            self.note_tls_error(error);
        }
        self.drop_stream();
    }

    /// Something of this connection has panicked: nothing more of it can be relied on.
    pub(super) fn break_off(&mut self) {
        self.input.give_up_inflation();
        if self.stream.is_some() {
            self.fail(&io::ErrorKind::Other.into());
        }
    }

    fn drop_stream(&mut self) {
        self.stream = None;
        self.failing = self.input.is_undecided();
    }

    /// Gives the socket away, with what was read of it.
    #[cfg(unix)]
    pub(super) fn release(&mut self) -> Option<(OwnedFd, Vec<u8>)> {
        let fd = self.stream.take()?.into_fd().ok()?;
        self.reported_closed = true;
        Some((fd, self.input.give_all()))
    }

    /// Whether there is something to read; if not, `context` is woken when the kernel tells of it, in its turn.
    pub(super) fn begin_reading(&mut self, context: &mut Context<'_>) -> bool {
        let has_input = self.input.has_undelivered() || self.has_bytes(context);
        self.is_begun |= !has_input;
        has_input
    }

    /// Closes the socket when both sides have ended. What cannot be written any more is discarded.
    pub(super) fn close_if_ended(&mut self) {
        if self.input.reported_end && self.shut {
            self.stream = None;
        }
        if !self.is_writable() {
            self.output.discard();
        }
    }

    /// Whether a poll has something to report, or to write.
    pub(super) fn has_news(&self) -> bool {
        if self.is_writable() {
            self.writes_on || self.is_written() || self.is_drained() || self.is_buffered_low()
        } else {
            self.stream.is_some() || self.is_failing() || self.is_closed()
        }
    }

    /// What was asked about is written. What came before is reported before.
    fn is_written(&self) -> bool {
        self.notify_written && self.output.has_news() && !self.input.is_beginning()
    }

    /// All is written, and somebody wants to know. What came before is reported before.
    fn is_drained(&self) -> bool {
        self.notify_drained && self.output.is_empty() && !self.input.is_beginning()
    }

    /// No more waits than somebody wants to hear of. What came before is reported before.
    fn is_buffered_low(&self) -> bool {
        let is_low = |threshold| self.output.pending() <= threshold;
        self.low_threshold.is_some_and(is_low) && !self.input.is_beginning()
    }

    /// Looks for signs of life: see [`Liveness::check`].
    pub(super) fn check_alive(&mut self, now: u32, silence: u32, timeout: u32) -> Verdict {
        let Some(stream) = &self.stream else {
            return Verdict::Alive;
        };
        let signs = Signs {
            read: self.input.bytes,
            written: self.output.bytes_written(),
            is_queued: !self.output.is_empty(),
            has_undelivered: self.input.has_undelivered(),
        };
        // The end of what the peer sends can be read again and again.
        let is_ended = self.input.eof;
        let has_unread = || !is_ended && stream.has_unread();
        self.liveness
            .get_or_insert_default()
            .check(&signs, has_unread, now, silence, timeout)
    }

    /// The socket has failed, JavaScript decides whether that is the end, and does not know.
    fn is_failing(&self) -> bool {
        self.failing && !self.reported_failing
    }

    /// The socket is closed, and nobody knows.
    fn is_closed(&self) -> bool {
        self.stream.is_none() && !self.failing && !self.reported_closed
    }

    fn report(&mut self, batch: &mut Batch) {
        if self.is_failing() {
            self.reported_failing = true;
            batch.push(Kind::Failed, 0);
        } else if self.is_closed() && !self.input.has_undelivered() {
            self.reported_closed = true;
            let text = self.reason_text.as_deref().unwrap_or_default();
            batch.push_bytes(Kind::Closed, self.reason, text.as_bytes());
        } else if self.is_writable() {
            if self.is_written() {
                self.notify_written = false;
                batch.push(Kind::Written, 0);
            }
            if self.is_drained() {
                self.notify_drained = false;
                batch.push(Kind::Drained, 0);
            }
            if self.is_buffered_low() {
                self.low_threshold = None;
                batch.push(Kind::BufferedAmountLow, 0);
            }
        }
    }
}
