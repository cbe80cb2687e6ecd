//! One connection: a socket and what is being spoken on it.

mod deflate;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::events::{Batch, Owner};
use super::listener::Listener;
use super::run_queue::{Source, lock};
use super::stream::Stream;
use super::thread_pool::Effort;
use super::{Engine, READ_SIZE};
use crate::handshake::HeadLimits;
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Bits, Config, Endpoint};

use read::Phase;
use state::State;
use write::Sending;

/// A connection that JavaScript has not been told of has no id yet.
pub const NO_ID: u32 = u32::MAX;

/// Not on the list of ready sources.
const ABSENT: u8 = 0;
/// On the list, for the first time: nobody was woken for it.
const REGISTERED: u8 = 1;
/// On the list, and to have its turn soon.
const URGENT: u8 = 2;

/// Bytes of events handed to JavaScript and not yet taken; beyond them the socket is not read.
const MAX_INFLIGHT: usize = 16 * READ_SIZE;

/// When bytes to send leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// Now.
    No,
    /// With the next [`Connection::flush`].
    Yes,
    /// With the next turn: the I/O thread writes.
    ForTurn,
}

/// How a connection begins.
pub enum Opening {
    /// Accepted by `listener`: an upgrade request comes.
    Accepted(Arc<Listener>, HeadLimits),
    /// Dialled: when connected, an upgrade response comes.
    Dialled(HeadLimits),
    /// Taken over after somebody else's handshake; [`Connection::open`] or [`Connection::start_raw`] follows.
    Adopted,
    /// The same, while whoever had the socket is not done with it: nothing is read or reported before
    /// [`Connection::hand_over`].
    BeingAdopted,
}

/// A connection of the engine. Turned by the driver; commanded by JavaScript.
pub struct Connection {
    engine: Arc<Engine>,
    bridge: u32,
    id: AtomicU32,
    listener: Option<Arc<Listener>>,
    /// Whether it is on the list of ready sources: [`ABSENT`], [`REGISTERED`] or [`URGENT`].
    waiting: AtomicU8,
    /// Sent to in this tick or dispatch of JavaScript.
    gathered: AtomicBool,
    released: AtomicBool,
    inflight: AtomicUsize,
    state: Mutex<State>,
}

impl Connection {
    /// Makes a connection of `bridge` on `stream` and asks for its first turn.
    pub fn start(engine: Arc<Engine>, bridge: u32, stream: Stream, opening: Opening) -> Arc<Self> {
        let is_being_adopted = matches!(opening, Opening::BeingAdopted);
        let (phase, listener) = match opening {
            Opening::Accepted(listener, limits) => (Phase::request(limits), Some(listener)),
            Opening::Dialled(limits) => (Phase::Connecting(limits), None),
            Opening::Adopted | Opening::BeingAdopted => (Phase::held(Vec::new()), None),
        };
        let mut state = State::new(stream, phase, listener.is_none());
        state.handed_over = !is_being_adopted;
        let connection = Arc::new(Self {
            engine,
            bridge,
            id: AtomicU32::new(NO_ID),
            waiting: AtomicU8::new(REGISTERED),
            gathered: AtomicBool::new(false),
            released: AtomicBool::new(false),
            inflight: AtomicUsize::new(0),
            state: Mutex::new(state),
            listener,
        });
        let source = Source::Connection(Arc::clone(&connection));
        connection.engine.schedule_registered(source);
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
            listener.introduced();
        }
    }

    /// Whether it is somebody else's: see [`Connection::release`].
    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::Relaxed)
    }

    /// Marks the connection as sent to; tells whether it was not yet.
    pub fn mark_gathered(&self) -> bool {
        !self.gathered.swap(true, Ordering::AcqRel)
    }

    /// Takes the mark away.
    pub fn unmark_gathered(&self) {
        self.gathered.store(false, Ordering::Release);
    }

    /// Whether the mark is set.
    pub fn is_gathered(&self) -> bool {
        self.gathered.load(Ordering::Acquire)
    }

    /// Asks for a turn.
    fn schedule(self: &Arc<Self>) {
        match self.waiting.swap(URGENT, Ordering::AcqRel) {
            ABSENT => self.engine.schedule(Source::Connection(Arc::clone(self))),
            REGISTERED => self.engine.urge(),
            _ => {}
        }
    }

    /// Asks for a turn; the first one comes with what the kernel tells of a socket that was just registered.
    fn schedule_behind_registration(self: &Arc<Self>) {
        if self.waiting.load(Ordering::Acquire) != REGISTERED {
            self.schedule();
        }
    }

    /// Tells that JavaScript took `bytes` of events.
    pub fn delivered(self: &Arc<Self>, bytes: usize) {
        let before = self.inflight.fetch_sub(bytes, Ordering::AcqRel);
        if before >= MAX_INFLIGHT && before - bytes < MAX_INFLIGHT {
            self.schedule();
        }
    }

    /// JavaScript is so far behind that nothing more is read for it.
    fn is_ahead(&self) -> bool {
        self.inflight.load(Ordering::Acquire) >= MAX_INFLIGHT
    }

    /// Reads, writes and reports what is ready.
    pub(super) fn turn(self: &Arc<Self>, batch: &mut Batch) {
        self.break_on_panic(|| self.turn_unguarded(batch));
    }

    fn turn_unguarded(self: &Arc<Self>, batch: &mut Batch) {
        self.waiting.store(ABSENT, Ordering::Release);
        let first = batch.events.len();
        let (again, is_rest, deflation) = self.with_state(|state, context| {
            let is_rest = state.stream.is_none() || state.input.has_inflated();
            let read = state.input.bytes;
            let again = state.turn(self, context, batch);
            let is_busy = state.input.bytes > read && state.input.is_speaking();
            batch.busy += usize::from(is_busy && batch.has_messages(first));
            (again, is_rest, state.begin_deflation())
        });
        if let Some((job, length)) = deflation {
            self.begin_deflating(job, length, batch);
        }
        let bytes = batch.end_chunk(first, is_rest, || Owner::Connection(Arc::clone(self)));
        self.inflight.fetch_add(bytes, Ordering::AcqRel);
        if again {
            self.schedule();
        }
    }

    fn with_state<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Context<'_>) -> T) -> T {
        let waker = Waker::from(Arc::clone(self));
        work(&mut lock(&self.state), &mut Context::from_waker(&waker))
    }

    /// Runs a command, which may leave something for a turn to report.
    fn command<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Context<'_>) -> T) -> T {
        let (result, has_news) = self.with_state(|state, context| {
            let result = work(state, context);
            (result, state.settle())
        });
        if has_news {
            self.schedule();
        }
        result
    }

    /// Speaks WebSocket from here on, beginning with `head` and whatever was held back. With [`Gather::ForTurn`] what
    /// comes is not looked at before the next [`Connection::proceed`].
    pub fn open(self: &Arc<Self>, config: Config, head: &[u8], gather: Gather) {
        self.command(|state, _| {
            state.input.corked = gather == Gather::ForTurn;
            state.open(Endpoint::new(config), head);
        });
        self.schedule_behind_registration();
    }

    /// Has a turn do what JavaScript gathered for it.
    pub fn proceed(self: &Arc<Self>) {
        lock(&self.state).input.corked = false;
        self.schedule();
    }

    /// Whoever had the socket before is done with it: what comes is delivered from here on.
    pub fn hand_over(self: &Arc<Self>) {
        lock(&self.state).handed_over = true;
        self.schedule();
    }

    /// Delivers bytes as they come from here on.
    pub fn start_raw(self: &Arc<Self>) {
        self.command(|state, _| state.input.start_raw());
        self.schedule();
    }

    /// Ends what [`Connection::start_raw`] began: more bytes wait for [`Connection::open`]. Returns how many have been
    /// delivered, though JavaScript may not have them yet.
    pub fn hold_back(self: &Arc<Self>) -> u64 {
        self.command(|state, _| state.input.hold_back())
    }

    /// Gives the endpoint away, half a message and all: bytes are delivered as they come from here on. The job of it
    /// that is out, if there is one, goes to `heir`: tells whether it will.
    pub fn demote(
        self: &Arc<Self>,
        heir: impl FnOnce(InflateJob) + Send + 'static,
    ) -> Option<(Box<Endpoint>, bool)> {
        self.command(|state, _| {
            state.deflate_until(None);
            state.input.demote(Box::new(heir))
        })
    }

    /// Sends one frame.
    pub fn send(
        self: &Arc<Self>,
        payload: Cow<'_, [u8]>,
        bits: Bits,
        key: [u8; 4],
        gather: Gather,
    ) {
        self.break_on_panic(|| {
            self.command(|state, context| {
                let sending = Sending { bits, key };
                state.send(self, context, payload, sending, gather);
            });
        });
    }

    /// Sends bytes as they are.
    pub fn write(self: &Arc<Self>, bytes: &[u8], gather: Gather) {
        self.command(|state, context| {
            state.write(bytes);
            state.gathered(context, gather);
        });
    }

    /// Writes what was gathered, as much as one turn may; another turn writes on.
    pub fn flush(self: &Arc<Self>) {
        self.command(State::flush);
    }

    /// The same, as far as the kernel takes it.
    pub fn flush_fully(self: &Arc<Self>) {
        self.command(State::flush_fully);
    }

    /// Writes what was gathered though more may come: here, or in a turn of the thread that drives.
    pub fn flush_early(self: &Arc<Self>) {
        if self.engine.has_thread() {
            self.schedule();
        } else {
            self.flush();
        }
    }

    /// Writes all when no turn will come: what waits to be compressed is compressed here, and what another thread
    /// compresses is waited for, both until `deadline`.
    pub fn flush_until(self: &Arc<Self>, deadline: Instant) {
        loop {
            let mut is_held_up = false;
            self.break_on_panic(|| {
                self.command(|state, context| {
                    state.deflate_until(Some(deadline));
                    state.flush_fully(context);
                    is_held_up = state.stream.is_some() && state.output.is_held_up();
                });
            });
            if !is_held_up || Instant::now() >= deadline {
                return;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// The number of the send or write that came last; [`Connection::written`] tells when it is done.
    pub fn ticket(&self) -> u64 {
        lock(&self.state).output.ticket()
    }

    /// The number of the last send or write that the kernel has all bytes of, among those whose number was asked for.
    pub fn written(&self) -> u64 {
        lock(&self.state).output.written()
    }

    /// Bytes in the queue, which the kernel does not have. JavaScript counts what is being compressed, and behind it.
    pub fn pending(&self) -> usize {
        lock(&self.state).output.pending()
    }

    /// Has [`Kind::Written`](super::Kind::Written) reported once the next send or write is done whose number was asked for.
    pub fn tell_written(self: &Arc<Self>) {
        self.command(|state, _| state.tell_written = true);
    }

    /// Has [`Kind::Drained`](super::Kind::Drained) reported once all is written.
    pub fn tell_drained(self: &Arc<Self>) {
        self.command(|state, _| state.tell_drained = true);
    }

    /// Stops or resumes reading.
    pub fn set_paused(self: &Arc<Self>, paused: bool) {
        self.command(|state, _| state.input.paused = paused);
        if !paused {
            self.schedule();
        }
    }

    /// Keeps what is sent from here on together, until it is uncorked.
    pub fn set_corked(self: &Arc<Self>, corked: bool) {
        self.command(|state, context| {
            state.corked = corked;
            state.flush(context);
        });
    }

    /// Sends FIN after what is queued.
    pub fn end(self: &Arc<Self>, gather: Gather) {
        self.command(|state, context| {
            state.end_wanted = true;
            state.gathered(context, gather);
        });
    }

    /// Closes now; with `reset`, by RST. What was sent before goes to the kernel as far as it takes it.
    pub fn destroy(self: &Arc<Self>, reset: bool) {
        self.command(|state, context| state.destroy(context, reset));
    }

    /// Closes when what has arrived is read.
    pub fn close_behind_input(self: &Arc<Self>) {
        self.command(|state, _| state.close_wanted = true);
        self.schedule();
    }

    /// Asks the socket something; `None` once it is closed.
    pub fn with_stream<T>(&self, ask: impl FnOnce(&Stream) -> T) -> Option<T> {
        lock(&self.state).stream.as_ref().map(ask)
    }

    /// Nagle's algorithm off or on.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.with_stream(|stream| stream.set_nodelay(on))
            .unwrap_or(Ok(()))
    }

    /// TCP keep-alive, with a delay in seconds.
    pub fn set_keepalive(&self, on: bool, delay: u32) -> io::Result<()> {
        self.with_stream(|stream| stream.set_keepalive(on, delay))
            .unwrap_or(Ok(()))
    }

    /// Bytes read and bytes written so far.
    pub fn traffic(&self) -> (u64, u64) {
        let state = lock(&self.state);
        (state.input.bytes, state.output.bytes_written())
    }

    /// Gives the socket away, with all that was read of it, of which JavaScript may have a head. No event follows. `None`
    /// if it is closed.
    #[cfg(unix)]
    pub fn release(self: &Arc<Self>) -> Option<(OwnedFd, Vec<u8>)> {
        let released = self.command(|state, _| state.release());
        self.released.store(released.is_some(), Ordering::Relaxed);
        released
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

impl Wake for Connection {
    fn wake(self: Arc<Self>) {
        self.schedule();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.schedule();
    }
}
