//! The turn of a connection: read, write, report.

use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::mem;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::read::{Input, Phase};
use super::write::{Output, Sending};
use super::{Connection, Gather};
use crate::engine::READ_SIZE;
use crate::engine::events::{Batch, Kind, WRITING};
use crate::engine::run_queue::lock;
use crate::engine::stream::Stream;
use crate::engine::thread_pool::Effort;
use crate::handshake::HeadLimits;
use crate::protocol::deflate::JOB_LEN;
use crate::protocol::frame::{MAX_HEADER_LEN, encode_header};
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Bits, Endpoint};

/// An unmasked payload this long goes to the kernel from where it lies.
const DIRECT_WRITE: usize = 16 * 1024;

/// What is written at once while others wait: the lock of the connection, and the driver. Some 100 µs.
const STEP: usize = 512 * 1024;

/// More than the kernel keeps for a socket. A peer that reads meanwhile does not keep us for ever.
const ALL: usize = 16 * 1024 * 1024;

/// All that changes about a connection.
pub(super) struct State {
    /// `None` once it is closed.
    pub(super) stream: Option<Stream>,
    pub(super) input: Input,
    pub(super) output: Output,
    /// Whoever had the socket before is done with it; nothing is read or reported before.
    pub(super) handed_over: bool,
    /// Why it was closed, as [`Kind::Closed`] says it; 0 if nothing went wrong.
    reason: u32,
    /// FIN is to be sent after what is queued.
    pub(super) end_wanted: bool,
    /// FIN has been sent.
    shut: bool,
    /// A write failed: it is closed when what had arrived before is read.
    broken: bool,
    /// To be closed behind what has arrived.
    pub(super) close_wanted: bool,
    /// Nothing is written before JavaScript says so.
    pub(super) corked: bool,
    /// The kernel was full when we wrote last.
    is_blocked: bool,
    /// The kernel may take more of what waits, in a turn.
    writes_on: bool,
    /// JavaScript wants to hear when what it asked about is written.
    pub(super) tell_written: bool,
    /// JavaScript wants to hear when all is written.
    pub(super) tell_drained: bool,
    /// The socket failed, and JavaScript may have bytes to come to before that.
    failing: bool,
    reported_failing: bool,
    reported_closed: bool,
    /// JavaScript has been told of this connection, or made it.
    known: bool,
}

impl State {
    pub(super) fn new(stream: Stream, phase: Phase, known: bool) -> Self {
        Self {
            stream: Some(stream),
            input: Input::new(phase),
            output: Output::default(),
            handed_over: true,
            reason: 0,
            end_wanted: false,
            shut: false,
            broken: false,
            close_wanted: false,
            corked: false,
            is_blocked: false,
            writes_on: false,
            tell_written: false,
            tell_drained: false,
            failing: false,
            reported_failing: false,
            reported_closed: false,
            known,
        }
    }

    /// Returns whether another turn is due at once.
    pub(super) fn turn(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> bool {
        // A connection that JavaScript opens after it was closed has nothing more to say: its id is gone.
        if self.reported_closed {
            return false;
        }
        if !self.handed_over {
            self.flush(context);
            return false;
        }
        if !mem::replace(&mut self.known, true)
            && let Some(listener) = &connection.listener
        {
            batch.push(Kind::Accepted, listener.id());
        }
        if let Phase::Connecting(limits) = self.input.phase {
            self.connect(context, limits, batch);
        }
        self.flush(context);
        // What has been read is delivered before the end, wanted or not.
        self.input.paused &= self.stream.is_some();
        let inflated = self.input.feed_inflated(batch);
        self.inflate(connection, inflated);
        let early = self.input.feed_early(batch);
        self.inflate(connection, early);
        let mut again = self.read(connection, context, batch);
        if again && self.input.direct().is_some() {
            again = self.read(connection, context, batch);
        }
        if self.close_wanted {
            self.destroy(context, false);
        }
        if self.broken && !again && !self.input.is_held_up() && !connection.is_ahead() {
            self.lose_stream();
        }
        self.input.report_end(batch);
        self.settle();
        self.report(batch);
        if self.stream.is_none() {
            // What is held back for a reader that is paused comes in another turn, before the end.
            return self.input.is_behind() && !self.input.is_held_up();
        }
        again || self.writes_on
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

    /// Reads once. Returns whether there is more.
    fn read(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        batch: &mut Batch,
    ) -> bool {
        if !self.input.is_open() || connection.is_ahead() {
            return false;
        }
        let Some(stream) = &mut self.stream else {
            return false;
        };
        let start = batch.arena.len();
        let (memory, room, is_direct) = match self.input.direct() {
            Some((memory, room)) => (memory, room, true),
            None => (batch.room(READ_SIZE), READ_SIZE, false),
        };
        let read = if self.broken {
            stream.read_now(memory, room)
        } else {
            stream.poll_read(context, memory, room)
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
                    self.input.took_direct(n, batch);
                } else {
                    let job = self.input.take(start, batch);
                    self.inflate(connection, job);
                }
                more
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => true,
            // To libuv a reset right behind bytes is an end.
            Poll::Ready(Err(_)) if self.input.holds_back() => {
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
    fn inflate(&mut self, connection: &Arc<Connection>, job: Option<InflateJob>) {
        let Some(mut job) = job else { return };
        let inflating = Arc::clone(connection);
        connection.run_job(Effort::Large, move || {
            job.run();
            lock(&inflating.state).input.end_inflation(job);
            inflating.schedule();
        });
    }

    pub(super) fn send(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        payload: Cow<'_, [u8]>,
        sending: Sending,
        gather: Gather,
    ) {
        if !self.is_writable() {
            self.output.refuse();
            return;
        }
        if self.output.is_held_up() {
            self.output.wait(payload.into_owned(), Some(sending));
            return;
        }
        let Sending { bits, key } = sending;
        if payload.len() >= DIRECT_WRITE
            && gather != Gather::ForTurn
            && !self.corked
            && self.output.is_empty()
            && !bits.is_masked()
            && !bits.has(Bits::COMPRESS)
        {
            self.send_direct(context, &payload, sending);
            return;
        }
        let Phase::Open { endpoint, .. } = &mut self.input.phase else {
            return;
        };
        let is_for_turn = gather == Gather::ForTurn;
        if endpoint.compresses(bits) && (is_for_turn || payload.len() >= JOB_LEN) {
            self.output.wait(payload.into_owned(), Some(sending));
            if !is_for_turn && let Some((job, _)) = self.begin_deflation() {
                connection.deflate_elsewhere(job);
            }
            return;
        }
        self.output.put(payload.len() + MAX_HEADER_LEN, |out| {
            endpoint.frame(out, &payload, bits, key);
        });
        self.gathered(context, gather);
    }

    /// The kernel takes what it can from where the payload lies; the rest is copied.
    fn send_direct(&mut self, context: &mut Context<'_>, payload: &[u8], sending: Sending) {
        let Some(stream) = &self.stream else { return };
        let (header, length) = encode_header(sending.bits, payload.len() as u64, sending.key);
        let header = &header[..length];
        let written = match stream.write(&[IoSlice::new(header), IoSlice::new(payload)]) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                self.output.refuse();
                self.fail_writing(&error);
                return;
            }
        };
        self.output.count_direct(written);
        self.output.put(payload.len() + length - written, |out| {
            out.extend_from_slice(header.get(written..).unwrap_or_default());
            out.extend_from_slice(&payload[written.saturating_sub(length)..]);
        });
        self.flush(context);
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if !self.is_writable() {
            self.output.refuse();
            return;
        }
        if self.output.is_held_up() {
            self.output.wait(bytes.to_vec(), None);
        } else {
            self.output
                .put(bytes.len(), |out| out.extend_from_slice(bytes));
        }
    }

    pub(super) fn gathered(&mut self, context: &mut Context<'_>, gather: Gather) {
        if gather == Gather::No {
            self.flush(context);
        }
    }

    /// Writes one step; what is left is for a turn.
    pub(super) fn flush(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, STEP);
    }

    /// Writes all that the kernel takes.
    pub(super) fn flush_fully(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, ALL);
    }

    /// Writes until the queue is empty, the kernel full or `most` bytes are written, then what hangs on an empty queue.
    /// Returns whether the kernel may take more.
    fn write_out(&mut self, context: &mut Context<'_>, mut most: usize) -> bool {
        if self.corked || self.broken || matches!(self.input.phase, Phase::Connecting(_)) {
            return false;
        }
        let Some(stream) = &self.stream else {
            return false;
        };
        let result = loop {
            if self.is_blocked {
                match stream.poll_write_ready(context) {
                    Poll::Pending => return false,
                    Poll::Ready(Ok(())) => self.is_blocked = false,
                    Poll::Ready(Err(error)) => break Err(error),
                }
            }
            let queue = &mut self.output.queue;
            match queue.write_with(&mut most, |slices| stream.write(slices)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_blocked = true,
                Ok(()) if !queue.is_empty() => return true,
                Ok(()) if self.end_wanted && !self.shut && self.output.is_empty() => {
                    self.shut = true;
                    break stream.shutdown();
                }
                result => break result,
            }
        };
        match result {
            // The peer is gone already: its FIN or RST tells the rest.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => self.fail_writing(&error),
            Ok(()) => {}
        }
        false
    }

    /// Speaks WebSocket from here on, and fails behind what has been read, if it has failed.
    pub(super) fn open(&mut self, endpoint: Endpoint, head: &[u8]) {
        self.failing = false;
        self.input.open(endpoint, head);
    }

    pub(super) fn destroy(&mut self, context: &mut Context<'_>, reset: bool) {
        self.failing = false;
        if !reset {
            self.corked = false;
            self.flush_fully(context);
        } else if let Some(stream) = &self.stream
            && let Err(error) = stream.reset_on_close()
        {
            self.reason = errno(&error);
        }
        self.stream = None;
    }

    fn fail(&mut self, error: &io::Error) {
        if !self.broken {
            self.reason = errno(error);
        }
        self.lose_stream();
    }

    /// Something of this connection has panicked: nothing more of it can be relied on.
    pub(super) fn break_off(&mut self) {
        self.input.give_up_inflation();
        if self.stream.is_some() {
            self.fail(&io::ErrorKind::Other.into());
        }
    }

    fn fail_writing(&mut self, error: &io::Error) {
        self.reason = errno(error) | WRITING;
        self.broken = true;
    }

    fn lose_stream(&mut self) {
        self.stream = None;
        self.failing = self.input.is_undecided();
    }

    fn is_writable(&self) -> bool {
        self.stream.is_some() && !self.broken
    }

    /// Gives the socket away, with what was read of it.
    #[cfg(unix)]
    pub(super) fn release(&mut self) -> Option<(OwnedFd, Vec<u8>)> {
        let fd = self.stream.take()?.into_fd().ok()?;
        self.reported_closed = true;
        Some((fd, self.input.give_all()))
    }

    /// Closes what is over. Returns whether there is something to report.
    pub(super) fn settle(&mut self) -> bool {
        if self.input.reported_end && self.shut {
            self.stream = None;
        }
        if self.is_writable() {
            return self.writes_on || self.is_written() || self.is_drained();
        }
        self.output.lose();
        if self.stream.is_some() {
            return true;
        }
        self.is_failing() || self.is_closed()
    }

    /// What was asked about is written. What came before is reported before.
    fn is_written(&self) -> bool {
        self.tell_written && self.output.has_news() && !self.input.corked
    }

    /// All is written, and somebody wants to know. What came before is reported before.
    fn is_drained(&self) -> bool {
        self.tell_drained && self.output.is_empty() && !self.input.corked
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
        } else if self.is_closed() && !self.input.is_behind() {
            self.reported_closed = true;
            batch.push(Kind::Closed, self.reason);
        } else if self.is_writable() {
            if self.is_written() {
                self.tell_written = false;
                batch.push(Kind::Written, 0);
            }
            if self.is_drained() {
                self.tell_drained = false;
                batch.push(Kind::Drained, 0);
            }
        }
    }
}

/// The system's number of an error; EIO for errors that did not come from the system.
fn errno(error: &io::Error) -> u32 {
    error.raw_os_error().unwrap_or(5).unsigned_abs()
}
