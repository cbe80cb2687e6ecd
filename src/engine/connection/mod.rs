//! One connection: see [`Connection`] for the order in which to call it.

mod broadcast;
mod commands;
mod deflate;
mod input;
mod liveness;
mod output;
mod phase;
mod read;
mod scheduling;
mod state;
#[cfg(test)]
mod tests;
mod tls;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Context;

use futures_task::waker_ref;

use super::accept_state::AcceptState;
use super::events::{Batch, Origin, Owner};
use super::run_queue::Source;
use super::runtime::Engine;
use super::stream::{READ_SIZE, Stream};
use super::sync::lock;
use super::thread_pool::Effort;
use crate::handshake::HeadLimits;

pub use broadcast::{Receiver, ReceiverList, SharedSend};
pub use liveness::Verdict;

use phase::Phase;
use scheduling::Waiting;
use state::State;
pub use tls::Taking;
pub use write::DIRECT_WRITE;

/// A connection that JavaScript has not been told of has no id yet.
pub const NO_ID: u32 = u32::MAX;

/// Bytes of events handed to JavaScript and not yet taken; beyond them the socket is not read.
const MAX_INFLIGHT: usize = 16 * READ_SIZE;

/// The kernel takes so many bytes after a write that it took whole.
const AT_ONCE: usize = 1024;

/// Nothing was sent.
const CLEAN: u8 = 0;
/// Something was: the next poll or flush writes it.
const DIRTY: u8 = 1;
/// Something was, and others were sent to before: the next flush writes it, no poll.
const IN_TURN: u8 = 2;

/// When bytes to send leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Now.
    Now,
    /// With the next [`Connection::flush`].
    EndOfTick,
    /// With the next poll, by the I/O thread.
    OnIoThread,
}

/// How a connection begins.
pub enum Opening {
    /// Accepted by a listener, which shares this: an upgrade request comes.
    Accepted(Arc<AcceptState>, HeadLimits),
    /// Dialled: when connected, an upgrade response comes.
    Dialled(HeadLimits),
    /// Taken over after Node's handshake: nothing is read or reported before [`Connection::finish_adoption`], as Node.js is
    /// not done with the socket. [`Connection::open`] or [`Connection::start_passthrough`] follows.
    Adopted,
}

/// A connection of the engine: a socket and what is spoken on it.
///
/// The driver polls it ([`Source::poll`]) whenever it is ready or has asked for it; what happened are the events that a poll
/// adds to its batch. All other methods are commands of the JS thread, which may come at any time, from inside of the
/// delivery of events, too. Each takes the connection's lock and returns without waiting for the network, but for
/// [`flush_until`](Self::flush_until). What a command has to tell, a poll reports.
///
/// # In which order to call it
///
/// 1. [`start`](Self::start) makes it. [`set_id`](Self::set_id) names it to JavaScript: at once, or with
///    [`Kind::Accepted`](super::Kind::Accepted), the first event of an accepted one. After
///    [`Opening::Adopted`] [`finish_adoption`](Self::finish_adoption) has to come before anything is read.
/// 2. An accepted or dialled one reads a head and reports [`Kind::Head`](super::Kind::Head), or
///    [`Kind::NotAnUpgrade`](super::Kind::NotAnUpgrade) with what came in its place. What is read then is parked, as it is
///    from the beginning for an adopted one. [`write`](Self::write) sends bytes as they are: a request, a response.
/// 3. JavaScript decides what the parked bytes are. [`open`](Self::open) takes them for frames;
///    [`start_passthrough`](Self::start_passthrough) delivers them as they are, until [`park`](Self::park), after which `open`
///    may follow; [`release`](Self::release) gives the socket away.
/// 4. Once open, [`send`](Self::send) and [`send_shared`](Self::send_shared) make frames.
///    [`detach`](Self::detach) gives the endpoint to JavaScript: bytes pass through from there on.
/// 5. [`end`](Self::end) sends FIN after what is queued, [`Kind::End`](super::Kind::End) reports that of the peer; with both
///    the socket closes. [`destroy`](Self::destroy) and [`close_after_input`](Self::close_after_input) close it before.
///    [`Kind::Closed`](super::Kind::Closed) is the last event; only after `release` there is none.
///
/// Other calls must be followed by one more: the delivery of a batch by [`delivered`](Self::delivered), as reading stops when
/// too much is on its way to JavaScript; what was sent or opened with [`Flush::EndOfTick`] by a [`flush`](Self::flush), and
/// with [`Flush::OnIoThread`] by [`process_pending`](Self::process_pending); `open` and `finish_adoption` that return true by a
/// poll, with a thread that drives by [`poll_early`](Self::poll_early) or [`release_early`](Self::release_early).
pub struct Connection {
    engine: Arc<Engine>,
    bridge: u32,
    id: AtomicU32,
    listener: Option<Arc<AcceptState>>,
    /// Whether it is on the list of what is ready.
    waiting: Waiting,
    /// Sent to in this tick or dispatch of JavaScript, and not written to since: [`CLEAN`], [`DIRTY`] or [`IN_TURN`].
    dirty: AtomicU8,
    released: AtomicBool,
    inflight: AtomicUsize,
    /// For who delivers its events: the number of those that were last put into a queue.
    queued: AtomicU32,
    /// Bytes in the queue when it was last looked at, for those who do not want to wait for the lock.
    backlog: AtomicUsize,
    state: Mutex<State>,
}

impl Connection {
    /// Makes a connection of `bridge` on `stream` and has it polled.
    pub fn start(engine: Arc<Engine>, bridge: u32, stream: Stream, opening: Opening) -> Arc<Self> {
        let is_adopted = matches!(opening, Opening::Adopted);
        let is_dialled = matches!(opening, Opening::Dialled(_));
        let (phase, listener) = match opening {
            Opening::Accepted(listener, limits) => (Phase::request(limits), Some(listener)),
            Opening::Dialled(limits) => (Phase::Connecting(limits), None),
            Opening::Adopted => (Phase::parked(Vec::new()), None),
        };
        let mut state = State::new(stream, phase, is_dialled);
        state.awaits_adoption = is_adopted;
        let connection = Arc::new(Self {
            engine,
            bridge,
            id: AtomicU32::new(NO_ID),
            waiting: Waiting::registered(),
            dirty: AtomicU8::new(CLEAN),
            released: AtomicBool::new(false),
            inflight: AtomicUsize::new(0),
            queued: AtomicU32::new(0),
            backlog: AtomicUsize::new(0),
            state: Mutex::new(state),
            listener,
        });
        connection
            .engine
            .schedule_registered(connection.as_pollable());
        connection
    }

    /// The bridge whose table the id is of.
    pub fn bridge(&self) -> u32 {
        self.bridge
    }

    /// The id JavaScript knows the connection by, or [`NO_ID`].
    pub fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// Gives the connection its id: JavaScript knows it from here on.
    pub fn set_id(&self, id: u32) {
        self.id.store(id, Ordering::Relaxed);
        if let Some(listener) = &self.listener {
            listener.count_reported();
        }
    }

    /// Whether its socket was given away: see [`Connection::release`].
    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Relaxed)
    }

    /// Asks the socket something; `None` once it is closed.
    pub fn with_stream<T>(&self, ask: impl FnOnce(&Stream) -> T) -> Option<T> {
        lock(&self.state).stream.as_ref().map(ask)
    }

    /// Bytes read and bytes written so far.
    pub fn traffic(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.input.bytes, state.output.bytes_written())
    }

    /// How many frames were sent that other connections got as well.
    pub fn shared_frames(&self) -> u64 {
        lock(&self.state).output.shared_frames()
    }

    /// The number of the send or write that came last; [`Connection::written`] tells when it is done.
    pub fn sequence_number(self: &Arc<Self>) -> u64 {
        self.complete_fan_outs();
        lock(&self.state).output.sequence_number()
    }

    /// The number of the last send or write that the kernel has all bytes of, among those whose number was asked for.
    pub fn written(&self) -> u64 {
        lock(&self.state).output.written()
    }

    /// Whether so little is queued, after so much that left, that the kernel takes it with the next flush.
    pub fn takes_at_once(&self) -> bool {
        let state = lock(&self.state);
        state.takes_at_once() && state.output.pending() <= AT_ONCE
    }

    /// Whether only what is corked is not written. That stays so when it is closed.
    pub fn is_held_back(&self) -> bool {
        lock(&self.state).output.is_held_back()
    }

    /// Bytes in the queue, which the kernel does not have. JavaScript counts what is being compressed, and what was sent after it.
    pub fn pending(self: &Arc<Self>) -> usize {
        self.complete_fan_outs();
        lock(&self.state).output.pending()
    }

    /// Looks for signs of life at `now`: any byte that came, be it unread in the kernel, and any progress of what is
    /// queued for a slow reader. Silent is who gave none for `silence` milliseconds, dead who gives none for `timeout`
    /// more.
    pub fn check_alive(&self, now: u32, silence: u32, timeout: u32) -> Verdict {
        lock(&self.state).check_alive(now, silence, timeout)
    }

    /// Marks the connection as sent to; tells whether it was not yet. With `in_turn` no poll writes to it meanwhile.
    pub fn mark_dirty(&self, in_turn: bool) -> bool {
        let mark = if in_turn { IN_TURN } else { DIRTY };
        // To look first costs less, and most are marked by the second send of a dispatch.
        self.dirty.load(Ordering::Acquire) != mark
            && self.dirty.swap(mark, Ordering::AcqRel) == CLEAN
    }

    /// Takes the mark away.
    pub fn clear_dirty(&self) {
        self.dirty.store(CLEAN, Ordering::Release);
    }

    /// Whether the mark is set.
    pub fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire) != CLEAN
    }

    /// It is written to in its turn, after others.
    fn is_written_in_turn(&self) -> bool {
        self.dirty.load(Ordering::Acquire) == IN_TURN
    }

    /// Tells that JavaScript took `bytes` of events.
    pub fn delivered(self: &Arc<Self>, bytes: usize) {
        let before = self.inflight.fetch_sub(bytes, Ordering::AcqRel);
        if before >= MAX_INFLIGHT && before - bytes < MAX_INFLIGHT {
            self.schedule();
        }
    }

    /// The number that was last noted.
    pub fn queued(&self) -> u32 {
        self.queued.load(Ordering::Relaxed)
    }

    /// Notes a number for [`queued`](Self::queued).
    pub fn note_queued(&self, number: u32) {
        self.queued.store(number, Ordering::Relaxed);
    }

    /// So much is on its way to JavaScript that nothing more is read for it.
    fn is_backpressured(&self) -> bool {
        self.inflight.load(Ordering::Acquire) >= MAX_INFLIGHT
    }

    fn poll_unguarded(self: &Arc<Self>, batch: &mut Batch) {
        if !self.delist() {
            return;
        }
        let first = batch.events.len();
        let (again, goes_on, origin, deflation) = self.with_state(|state, context| {
            let origin = state.origin();
            let read = state.input.bytes;
            let again = state.poll(self, context, batch);
            state.input.count_inflation(batch);
            let is_busy = state.input.bytes > read && state.input.is_open();
            batch.busy += usize::from(is_busy && batch.has_messages(first));
            let is_ahead = state.stream.as_ref().is_some_and(Stream::is_ahead);
            // What had come before a write failed is read at once, as long as something comes.
            let drains = state.broken && batch.events.len() > first;
            let goes_on = again && (is_ahead || drains);
            (again, goes_on, origin, state.first_deflate_job())
        });
        if let Some((job, length)) = deflation {
            self.deflate_in_poll(job, length, batch);
        }
        self.end_poll(batch, first, origin);
        batch.goes_on = goes_on;
        if goes_on {
            self.schedule_first();
        } else if again {
            self.schedule();
        }
    }

    /// Ends a poll whose events are those from `first` on.
    fn end_poll(self: &Arc<Self>, batch: &mut Batch, first: usize, origin: Origin) {
        let bytes = batch.end_poll(first, origin, || Owner::Source(Arc::<Self>::clone(self)));
        let before = self.inflight.fetch_add(bytes, Ordering::AcqRel);
        if bytes > 0
            && let Some(poll) = batch.polls.last_mut()
        {
            poll.follows = before > 0;
        }
    }

    fn with_state<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Context<'_>) -> T) -> T {
        // The connection is not counted once more for it.
        let waker = waker_ref(self);
        let mut state = lock(&self.state);
        let result = work(&mut state, &mut Context::from_waker(&waker));
        let backlog = state.output.pending();
        self.backlog.store(backlog, Ordering::Relaxed);
        result
    }

    /// What is on its way to many comes before what is done with this connection next.
    fn complete_fan_outs(self: &Arc<Self>) {
        self.engine.fan_outs().complete_for(self.address());
    }

    /// Runs a command. If that leaves something to report, has the connection polled: at once if a write has failed, as
    /// what had arrived before that comes before what became of others meanwhile.
    fn command<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Context<'_>) -> T) -> T {
        self.complete_fan_outs();
        let (result, has_news, has_failed) = self.with_state(|state, context| {
            let was_broken = state.broken;
            let result = work(state, context);
            state.close_if_ended();
            (result, state.has_news(), state.broken && !was_broken)
        });
        if has_failed {
            self.schedule_first();
        } else if has_news {
            self.schedule();
        }
        result
    }

    /// Runs `work`, which takes long, on another thread. Not once the engine is closed. If it panics the connection is
    /// closed: what it waits for would never come.
    fn run_job(self: &Arc<Self>, effort: Effort, work: impl FnOnce() + Send + 'static) {
        let connection = Arc::clone(self);
        self.engine.run_job(effort, move || {
            if !connection.engine.is_closed() {
                connection.break_on_panic(work);
            }
        });
    }

    /// Runs `work` of this connection. If it panics, which the hook reports, the connection fails.
    fn break_on_panic(self: &Arc<Self>, work: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.command(|state, _| state.break_off());
        }
    }
}

impl Source for Connection {
    /// Reads, writes and reports what is ready.
    fn poll(self: Arc<Self>, batch: &mut Batch) {
        self.break_on_panic(|| self.poll_unguarded(batch));
    }

    fn write_unpolled(self: Arc<Self>) {
        self.write_here();
    }
}
