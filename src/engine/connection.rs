//! One connection: a socket and what is being spoken on it.

use std::io::{self, IoSlice};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::batch::{Batch, Kind, Owner};
use super::listener::Listener;
use super::out_queue::OutQueue;
use super::ready::{Source, lock};
use super::stream::Stream;
use super::{Engine, READ_SIZE};
use crate::handshake::{HeadLimits, HeadParser, Outcome};
use crate::protocol::frame::encode_header;
use crate::protocol::{Bits, Config, Endpoint};

/// A connection that JavaScript has not been told of has no id yet.
pub const NO_ID: u32 = u32::MAX;

/// Bytes handed to JavaScript and not yet taken; beyond them the socket is not read.
const MAX_INFLIGHT: usize = 16 * READ_SIZE;

/// An unmasked payload this long goes to the kernel from where it lies.
const DIRECT_WRITE: usize = 16 * 1024;

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
}

enum Phase {
    Connecting(HeadLimits),
    Head {
        parser: Box<HeadParser>,
        bytes: Vec<u8>,
    },
    /// JavaScript decides what comes next; the bytes are for that.
    Held(Vec<u8>),
    Raw(Vec<u8>),
    Open {
        endpoint: Box<Endpoint>,
        early: Vec<u8>,
    },
}

struct State {
    stream: Option<Stream>,
    phase: Phase,
    out: OutQueue,
    /// Bytes ever queued.
    queued: u64,
    /// Those of them that never left, because the socket was closed.
    lost: u64,
    errno: i32,
    paused: bool,
    /// JavaScript is not done with what it began: nothing is read before the next [`Connection::proceed`].
    corked: bool,
    /// The peer's FIN has come.
    eof: bool,
    /// And has been reported, behind all that came before it.
    reported_end: bool,
    /// FIN is to be sent after what is queued.
    end_wanted: bool,
    /// FIN has been sent.
    shut: bool,
    /// JavaScript wants to hear when all is written.
    tell_drained: bool,
    reported_closed: bool,
    /// JavaScript has been told of this connection, or made it.
    known: bool,
    late: bool,
    /// Sweeps that found the head incomplete.
    sweeps: u32,
    bytes_read: u64,
}

/// A connection of the engine. Turned by the driver; commanded by JavaScript.
pub struct Connection {
    engine: Arc<Engine>,
    bridge: u32,
    id: AtomicU32,
    listener: Option<Arc<Listener>>,
    waiting: AtomicBool,
    /// Sent to in this tick or dispatch of JavaScript.
    gathered: AtomicBool,
    inflight: AtomicUsize,
    state: Mutex<State>,
}

impl Connection {
    /// Makes a connection of `bridge` on `stream` and asks for its first turn.
    pub fn start(engine: Arc<Engine>, bridge: u32, stream: Stream, opening: Opening) -> Arc<Self> {
        let mut listener = None;
        let is_accepted = matches!(opening, Opening::Accepted(..));
        let phase = match opening {
            Opening::Accepted(by, limits) => {
                listener = Some(by);
                Phase::Head {
                    parser: Box::new(HeadParser::request(limits)),
                    bytes: Vec::new(),
                }
            }
            Opening::Dialled(limits) => Phase::Connecting(limits),
            Opening::Adopted => Phase::Held(Vec::new()),
        };
        let connection = Arc::new(Self {
            engine,
            bridge,
            id: AtomicU32::new(NO_ID),
            listener,
            waiting: AtomicBool::new(false),
            gathered: AtomicBool::new(false),
            inflight: AtomicUsize::new(0),
            state: Mutex::new(State {
                stream: Some(stream),
                phase,
                out: OutQueue::default(),
                queued: 0,
                lost: 0,
                errno: 0,
                paused: false,
                corked: false,
                eof: false,
                reported_end: false,
                end_wanted: false,
                shut: false,
                tell_drained: false,
                reported_closed: false,
                known: !is_accepted,
                late: false,
                sweeps: 0,
                bytes_read: 0,
            }),
        });
        connection.schedule();
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

    /// Gives the connection its id.
    pub fn set_id(&self, id: u32) {
        self.id.store(id, Ordering::Relaxed);
    }

    /// The listener that accepted it.
    pub fn listener(&self) -> Option<&Arc<Listener>> {
        self.listener.as_ref()
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
    pub fn schedule(self: &Arc<Self>) {
        if !self.waiting.swap(true, Ordering::AcqRel) {
            self.engine.schedule(Source::Connection(Arc::clone(self)));
        }
    }

    /// Tells that JavaScript took `bytes` of events.
    pub fn delivered(self: &Arc<Self>, bytes: usize) {
        let before = self.inflight.fetch_sub(bytes, Ordering::AcqRel);
        if before >= MAX_INFLIGHT && before - bytes < MAX_INFLIGHT {
            self.schedule();
        }
    }

    /// Reads, writes and reports what is ready.
    pub(super) fn turn(self: &Arc<Self>, buffer: &mut [u8], batch: &mut Batch) {
        self.waiting.store(false, Ordering::Release);
        let first = batch.events.len();
        let again = self.with_waker(|connection, state, context| {
            state.turn(connection, context, buffer, batch)
        });
        let bytes = batch.end_chunk(first, || Owner::Connection(Arc::clone(self)));
        self.inflight.fetch_add(bytes, Ordering::AcqRel);
        if again {
            self.schedule();
        }
    }

    fn with_waker<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &mut State, &mut Context<'_>) -> T,
    ) -> T {
        let waker = Waker::from(Arc::clone(self));
        work(
            self,
            &mut lock(&self.state),
            &mut Context::from_waker(&waker),
        )
    }

    /// Runs a command, which may leave something for a turn to report.
    fn command<T>(self: &Arc<Self>, work: impl FnOnce(&mut State, &mut Context<'_>) -> T) -> T {
        let (result, has_news) = self.with_waker(|connection, state, context| {
            let result = work(state, context);
            (result, state.settle(connection))
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
            state.corked = gather == Gather::ForTurn;
            let mut early = state.take_held();
            early.splice(0..0, head.iter().copied());
            state.phase = Phase::Open {
                endpoint: Box::new(Endpoint::new(config)),
                early,
            };
        });
        self.schedule();
    }

    /// Has a turn do what JavaScript gathered for it.
    pub fn proceed(self: &Arc<Self>) {
        lock(&self.state).corked = false;
        self.schedule();
    }

    /// Delivers bytes as they come from here on.
    pub fn start_raw(self: &Arc<Self>) {
        self.command(|state, _| {
            let held = state.take_held();
            state.phase = Phase::Raw(held);
        });
        self.schedule();
    }

    /// Gives the endpoint away, half a message and all: bytes are delivered as they come from here on.
    pub fn demote(self: &Arc<Self>) -> Option<Box<Endpoint>> {
        self.command(
            |state, _| match mem::replace(&mut state.phase, Phase::Raw(Vec::new())) {
                Phase::Open { endpoint, early } => {
                    state.phase = Phase::Raw(early);
                    Some(endpoint)
                }
                other => {
                    state.phase = other;
                    None
                }
            },
        )
    }

    /// Sends one frame. Returns the position of its end among all bytes ever queued.
    pub fn send(self: &Arc<Self>, payload: &[u8], bits: Bits, key: [u8; 4], gather: Gather) -> u64 {
        self.command(|state, context| state.send(context, payload, bits, key, gather))
    }

    /// Sends bytes as they are. Returns the position of their end.
    pub fn write(self: &Arc<Self>, bytes: &[u8], gather: Gather) -> u64 {
        self.command(|state, context| {
            state.queue(|out| out.extend_from_slice(bytes));
            state.gathered(context, gather)
        })
    }

    /// Writes what was gathered.
    pub fn flush(self: &Arc<Self>) {
        self.command(|state, context| state.flush(context));
    }

    /// The position of the end of all bytes ever queued.
    pub fn queued(&self) -> u64 {
        lock(&self.state).queued
    }

    /// The position up to which the kernel has all bytes.
    pub fn written(&self) -> u64 {
        lock(&self.state).written()
    }

    /// Bytes the kernel does not have.
    pub fn pending(&self) -> usize {
        lock(&self.state).out.len()
    }

    /// Has [`Kind::Drained`] reported once all is written.
    pub fn tell_drained(self: &Arc<Self>) {
        self.command(|state, _| state.tell_drained = true);
    }

    /// Stops or resumes reading.
    pub fn set_paused(self: &Arc<Self>, paused: bool) {
        self.command(|state, _| state.paused = paused);
        if !paused {
            self.schedule();
        }
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
        self.command(|state, context| {
            if !reset {
                state.flush(context);
            }
            if let Some(stream) = &state.stream
                && reset
                && let Err(error) = stream.reset_on_close()
            {
                state.errno = errno(&error);
            }
            state.stream = None;
        });
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
        (state.bytes_read, state.written())
    }

    /// Counts one sweep against an incomplete head; late at the `limit`th.
    pub(super) fn sweep(self: &Arc<Self>, limit: u32) {
        self.command(|state, _| {
            if matches!(state.phase, Phase::Head { .. }) {
                state.sweeps += 1;
                state.late |= state.sweeps >= limit;
            }
        });
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

impl State {
    fn written(&self) -> u64 {
        self.queued - self.lost - self.out.len() as u64
    }

    /// Returns whether another turn is due at once.
    fn turn(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        batch: &mut Batch,
    ) -> bool {
        self.introduce(connection, batch);
        if let Phase::Connecting(limits) = self.phase {
            self.connect(context, limits, batch);
        }
        self.flush(context);
        self.feed_early(batch);
        let again = self.read(connection, context, buffer, batch);
        self.report_end(batch);
        self.settle(connection);
        self.report(connection, batch);
        again && self.stream.is_some()
    }

    fn introduce(&mut self, connection: &Connection, batch: &mut Batch) {
        if !self.known
            && let Some(listener) = &connection.listener
            && listener.announces()
        {
            self.known = true;
            batch.push(Kind::Accepted, listener.id());
        }
    }

    fn connect(&mut self, context: &mut Context<'_>, limits: HeadLimits, batch: &mut Batch) {
        let Some(stream) = &self.stream else { return };
        let Poll::Ready(ready) = stream.poll_write_ready(context) else {
            return;
        };
        match ready.and_then(|()| stream.take_error()) {
            Ok(None) => {
                self.phase = Phase::Head {
                    parser: Box::new(HeadParser::response(limits)),
                    bytes: Vec::new(),
                };
                batch.push(Kind::Connected, 0);
            }
            Ok(Some(error)) | Err(error) => self.fail(&error),
        }
    }

    /// Delivers what was held back until the phase was known.
    fn feed_early(&mut self, batch: &mut Batch) {
        if self.paused || self.corked {
            return;
        }
        match &mut self.phase {
            Phase::Raw(held) if !held.is_empty() => {
                batch.push_bytes(Kind::Chunk, 0, &mem::take(held));
            }
            Phase::Open { endpoint, early } if !early.is_empty() => {
                batch.feed(endpoint, &mut mem::take(early));
            }
            _ => {}
        }
    }

    fn read(
        &mut self,
        connection: &Connection,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        batch: &mut Batch,
    ) -> bool {
        if self.paused
            || self.corked
            || self.eof
            || self.is_full()
            || connection.inflight.load(Ordering::Acquire) >= MAX_INFLIGHT
        {
            return false;
        }
        let Some(stream) = &mut self.stream else {
            return false;
        };
        match stream.poll_read(context, buffer) {
            Poll::Pending => false,
            Poll::Ready(Ok(0)) => {
                self.end_of_input(connection, batch);
                false
            }
            Poll::Ready(Ok(n)) => {
                let more = n == buffer.len() || stream.poll_read_ready(context).is_ready();
                self.bytes_read += n as u64;
                self.take(connection, &mut buffer[..n], batch);
                more
            }
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => true,
            Poll::Ready(Err(error)) => {
                self.fail(&error);
                false
            }
        }
    }

    /// There is no place for more bytes now.
    fn is_full(&self) -> bool {
        match &self.phase {
            Phase::Connecting(_) => true,
            Phase::Held(held) => held.len() >= READ_SIZE,
            _ => false,
        }
    }

    fn take(&mut self, connection: &Connection, chunk: &mut [u8], batch: &mut Batch) {
        match &mut self.phase {
            Phase::Connecting(_) => {}
            Phase::Held(held) => held.extend_from_slice(chunk),
            Phase::Raw(_) => batch.push_bytes(Kind::Chunk, 0, chunk),
            Phase::Open { endpoint, .. } => batch.feed(endpoint, chunk),
            Phase::Head { parser, bytes } => {
                bytes.extend_from_slice(chunk);
                let by = connection
                    .listener
                    .as_ref()
                    .map_or(0, |listener| listener.id());
                match parser.parse(bytes) {
                    Outcome::Incomplete => {}
                    Outcome::Head(head, length) => {
                        self.known = true;
                        batch.push_bytes(Kind::Head, by, &head.flat(bytes));
                        let rest = bytes.split_off(length);
                        self.phase = Phase::Held(rest);
                    }
                    Outcome::Foreign => {
                        self.known = true;
                        batch.push_bytes(Kind::Foreign, by, &mem::take(bytes));
                        self.phase = Phase::Held(Vec::new());
                    }
                }
            }
        }
    }

    fn end_of_input(&mut self, connection: &Connection, batch: &mut Batch) {
        self.eof = true;
        if let Phase::Head { bytes, .. } = &mut self.phase {
            let listener = connection.listener.as_ref();
            if !bytes.is_empty() {
                // Half a head is for Node's parser to refuse.
                let by = listener.map_or(0, |listener| listener.id());
                self.known = true;
                batch.push_bytes(Kind::Foreign, by, &mem::take(bytes));
                self.phase = Phase::Held(Vec::new());
            } else if !self.known {
                self.stream = None;
            }
        }
    }

    /// The peer's FIN is reported behind all that came before it.
    fn report_end(&mut self, batch: &mut Batch) {
        let is_behind = match &self.phase {
            Phase::Held(held) | Phase::Raw(held) => held.is_empty(),
            Phase::Open { early, .. } => early.is_empty(),
            Phase::Connecting(_) | Phase::Head { .. } => true,
        };
        if self.eof && is_behind && !self.reported_end && self.stream.is_some() {
            self.reported_end = true;
            batch.push(Kind::End, 0);
        }
    }

    fn send(
        &mut self,
        context: &mut Context<'_>,
        payload: &[u8],
        bits: Bits,
        key: [u8; 4],
        gather: Gather,
    ) -> u64 {
        if self.stream.is_none() {
            return self.queued;
        }
        let is_direct = payload.len() >= DIRECT_WRITE
            && gather != Gather::ForTurn
            && self.out.is_empty()
            && !bits.is_masked()
            && !bits.has(Bits::COMPRESS);
        if is_direct && let Some(stream) = &self.stream {
            let (header, length) = encode_header(bits, payload.len() as u64, key);
            let header = &header[..length];
            self.queued += (length + payload.len()) as u64;
            let written = match stream.write(&[IoSlice::new(header), IoSlice::new(payload)]) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => {
                    self.fail(&error);
                    return self.queued;
                }
            };
            self.out.append(|out| {
                out.extend_from_slice(header.get(written..).unwrap_or_default());
                out.extend_from_slice(&payload[written.saturating_sub(length)..]);
            });
            self.flush(context);
            return self.queued;
        }
        let Phase::Open { endpoint, .. } = &mut self.phase else {
            return self.queued;
        };
        let before = self.out.len();
        self.out
            .append(|out| endpoint.frame(out, payload, bits, key));
        self.queued += (self.out.len() - before) as u64;
        self.gathered(context, gather)
    }

    fn queue(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        if self.stream.is_none() {
            return;
        }
        let before = self.out.len();
        self.out.append(append);
        self.queued += (self.out.len() - before) as u64;
    }

    fn gathered(&mut self, context: &mut Context<'_>, gather: Gather) -> u64 {
        if gather == Gather::No {
            self.flush(context);
        }
        self.queued
    }

    /// Writes until the queue is empty or the kernel full, then what hangs on an empty queue.
    fn flush(&mut self, context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Connecting(_)) {
            return;
        }
        let Some(stream) = &self.stream else { return };
        let result = loop {
            match self.out.write_with(|slices| stream.write(slices)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match stream.poll_write_ready(context) {
                        Poll::Pending => return,
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => break Err(error),
                    }
                }
                Ok(()) if self.end_wanted && !self.shut => {
                    self.shut = true;
                    break stream.shutdown();
                }
                result => break result,
            }
        };
        match result {
            // The peer is gone already: its FIN or RST tells the rest.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => self.fail(&error),
            Ok(()) => {}
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.errno = errno(error);
        self.stream = None;
    }

    fn take_held(&mut self) -> Vec<u8> {
        match &mut self.phase {
            Phase::Held(held) | Phase::Raw(held) => mem::take(held),
            _ => Vec::new(),
        }
    }

    /// Closes what is over. Returns whether there is something to report.
    fn settle(&mut self, connection: &Connection) -> bool {
        if self.reported_end && self.shut {
            self.stream = None;
        }
        if self.stream.is_none() && !self.reported_closed {
            self.lost += self.out.len() as u64;
            self.out.clear();
            if !self.known {
                self.reported_closed = true;
                connection.left_listener();
                return false;
            }
            return true;
        }
        self.late || (self.tell_drained && self.out.is_empty())
    }

    fn report(&mut self, connection: &Connection, batch: &mut Batch) {
        if mem::take(&mut self.late)
            && let Some(listener) = &connection.listener
        {
            self.known = true;
            batch.push(Kind::Late, listener.id());
            self.phase = Phase::Held(Vec::new());
        }
        if self.reported_closed {
            return;
        }
        if self.stream.is_none() {
            self.reported_closed = true;
            batch.push(Kind::Closed, self.errno.unsigned_abs());
            connection.left_listener();
        } else if self.tell_drained && self.out.is_empty() {
            self.tell_drained = false;
            batch.push(Kind::Drained, 0);
        }
    }
}

impl Connection {
    fn left_listener(&self) {
        if let Some(listener) = &self.listener {
            listener.connection_closed();
        }
    }
}

/// The system's number of an error; EIO for errors that did not come from the system.
fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(5)
}
