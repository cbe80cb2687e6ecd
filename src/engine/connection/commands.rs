//! What JavaScript has a connection do.

use std::borrow::Cow;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::output::Sending;
use super::state::State;
use super::{Connection, Flush};
use crate::engine::events::Batch;
use crate::engine::stream::Probes;
use crate::engine::sync::lock;
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Config, Endpoint, FrameFlags, Role};

impl Connection {
    /// Speaks WebSocket from here on, beginning with `early`, which somebody else has read, and what was parked. If this returns
    /// true there is something to deliver: the caller has the connection polled, with [`Flush::OnIoThread`] by
    /// [`Connection::poll_early`], and then nothing is read before the next [`Connection::process_pending`] either.
    pub fn open(self: &Arc<Self>, config: Config, early: &[u8], flush: Flush) -> bool {
        let is_client = config.role == Role::Client;
        let has_input = self.command(|state, _| {
            let awaits_tick_end = flush == Flush::OnIoThread;
            state.open(Endpoint::new(config), early);
            let has_input = state.input.has_undelivered();
            state.input.awaits_tick_end = awaits_tick_end;
            state.input.awaits_early_poll = awaits_tick_end && has_input;
            state.holds_sends = awaits_tick_end && (is_client || has_input);
            has_input
        });
        if !has_input || flush == Flush::OnIoThread {
            self.schedule_after_registration();
        }
        has_input
    }

    /// Has the connection polled: reads what was opened, and writes what was sent, with [`Flush::OnIoThread`].
    pub fn process_pending(self: &Arc<Self>) {
        lock(&self.state).end_tick();
        self.schedule_writing();
    }

    /// Adds the next chunk of what came before the connection was opened: for the JS thread, where another one drives, in the
    /// tick in which a stream of Node's begins to flow. Nothing else of the connection waits to be delivered then but what was
    /// told of the socket. Returns false if there is none: the engine's polls go on. While the socket is being adopted chunks
    /// come with the end of that.
    pub fn poll_early(self: &Arc<Self>, batch: &mut Batch) -> bool {
        let mut has_chunk = false;
        self.break_on_panic(|| {
            let first = batch.events.len();
            if let Some(origin) = self.with_state(|state, _| state.poll_early(self, batch)) {
                self.end_poll(batch, first, origin);
                has_chunk = true;
            } else {
                self.schedule();
            }
        });
        has_chunk
    }

    /// Has the engine's polls deliver what [`Connection::poll_early`] has not: JavaScript looks for other events.
    pub fn release_early(self: &Arc<Self>) {
        let was_waiting = lock(&self.state).release_early();
        if was_waiting {
            self.schedule();
        }
    }

    /// Node.js is done with a socket that is being adopted: what comes is delivered from here on. If this returns true there
    /// is something that came before, and the caller has the connection polled: where another thread drives by
    /// [`Connection::poll_early`].
    pub fn finish_adoption(self: &Arc<Self>) -> bool {
        let is_driven_here = !self.engine.has_thread();
        let (has_input, has_early) = self.command(|state, context| {
            state.awaits_adoption = false;
            let has_input = state.begin_reading(context);
            // What was read is told with what waits to be sent, not after it.
            if is_driven_here && !has_input {
                state.flush(context);
            }
            let has_early = state.input.has_undelivered();
            state.input.awaits_early_poll = has_early && !is_driven_here;
            (has_input, has_early)
        });
        if has_input {
            self.schedule();
        } else {
            self.schedule_after_registration();
        }
        has_early
    }

    /// Delivers bytes as they come from here on, with `with_head` also those of a head: JavaScript ignores a
    /// [`Kind::Head`](super::Kind::Head) that is on its way. Without, returns what was read along with the head.
    pub fn start_passthrough(self: &Arc<Self>, with_head: bool) -> Vec<u8> {
        let along = self.command(|state, _| state.input.start_passthrough(with_head));
        self.schedule();
        along
    }

    /// Ends what [`Connection::start_passthrough`] began: what comes is parked for [`Connection::open`]. Returns how many have been
    /// delivered, though JavaScript may not have them yet.
    pub fn park(self: &Arc<Self>) -> u64 {
        self.command(|state, _| state.input.park())
    }

    /// Moves the endpoint to JavaScript, with any partial message: bytes are delivered as they come from here on. If a job
    /// of its is running, `on_inflated` receives it in the end; the result says whether that will happen.
    pub fn detach(
        self: &Arc<Self>,
        on_inflated: impl FnOnce(InflateJob) + Send + 'static,
    ) -> Option<(Box<Endpoint>, bool)> {
        self.command(|state, _| {
            state.deflate_here_until(None);
            state.input.detach(Box::new(on_inflated))
        })
    }

    /// Sends one frame.
    pub fn send(
        self: &Arc<Self>,
        payload: Cow<'_, [u8]>,
        flags: FrameFlags,
        key: [u8; 4],
        flush: Flush,
    ) {
        self.break_on_panic(|| {
            self.command(|state, context| {
                let sending = Sending { flags, key };
                state.send(self, context, payload, sending, flush);
            });
        });
    }

    /// Sends bytes as they are.
    pub fn write(self: &Arc<Self>, bytes: &[u8], flush: Flush) {
        self.command(|state, context| {
            state.write(bytes);
            state.flush_if_now(context, flush);
        });
    }

    /// Writes what is queued, as much as one poll may; the next poll writes the rest.
    pub fn flush(self: &Arc<Self>) {
        self.command(State::flush);
    }

    /// The same, as far as the kernel takes it.
    pub fn flush_fully(self: &Arc<Self>) {
        self.command(State::flush_fully);
    }

    /// Writes what is queued before the tick ends: here, or, if the I/O thread drives, in a poll of its.
    pub fn flush_within_tick(self: &Arc<Self>, is_long: bool) {
        if is_long && lock(&self.state).holds_sends {
            self.command(State::flush_step);
        } else if self.engine.has_thread() {
            self.schedule_writing();
        } else {
            self.flush();
        }
    }

    /// Has what was sent written by the I/O thread, or, while that waits for JavaScript, by this one.
    fn schedule_writing(self: &Arc<Self>) {
        self.schedule();
        if self.engine.holds_polls() {
            self.write_here();
        }
    }

    /// Writes what is sent, as far as the kernel takes it, and has the pool compress what is to be.
    pub(super) fn write_here(self: &Arc<Self>) {
        self.break_on_panic(|| {
            let deflation = self.command(|state, context| {
                let deflation = state.first_deflate_job();
                if !state.holds_sends {
                    state.flush_fully(context);
                }
                deflation
            });
            if let Some((job, _)) = deflation {
                self.deflate_on_pool(job);
            }
        });
    }

    /// Writes all when no poll will come any more: compresses here what waits to be compressed, and waits for what
    /// another thread compresses, both until `deadline`.
    pub fn flush_until(self: &Arc<Self>, deadline: Instant) {
        loop {
            let mut is_held_up = false;
            self.break_on_panic(|| {
                self.command(|state, context| {
                    state.deflate_here_until(Some(deadline));
                    state.flush_fully(context);
                    is_held_up = state.stream.is_some() && state.output.is_blocked_by_compression();
                });
            });
            if !is_held_up || Instant::now() >= deadline {
                return;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// Has [`Kind::Written`](super::Kind::Written) reported once the next send or write is done whose number was asked for.
    pub fn notify_written(self: &Arc<Self>) {
        self.command(|state, _| state.notify_written = true);
    }

    /// Has [`Kind::Drained`](super::Kind::Drained) reported once all is written.
    pub fn notify_drained(self: &Arc<Self>) {
        self.command(|state, _| state.notify_drained = true);
    }

    /// Has [`Kind::BufferedAmountLow`](crate::engine::Kind::BufferedAmountLow) reported once the queue is no longer than `threshold` bytes.
    pub fn notify_buffered_amount_low(self: &Arc<Self>, threshold: usize) {
        self.command(|state, _| state.low_threshold = Some(threshold));
    }

    /// Stops or resumes reading.
    pub fn set_paused(self: &Arc<Self>, paused: bool) {
        self.command(|state, _| state.input.paused = paused);
        if !paused {
            self.schedule();
        }
    }

    /// Holds back what is sent from here on, until it is uncorked.
    pub fn cork(self: &Arc<Self>) {
        self.command(|state, _| state.output.cork());
    }

    /// Writes what was held back.
    pub fn uncork(self: &Arc<Self>) {
        self.command(|state, context| {
            state.output.uncork();
            state.flush(context);
        });
    }

    /// Sends FIN after what is queued.
    pub fn end(self: &Arc<Self>, flush: Flush) {
        self.command(|state, context| {
            state.end_wanted = true;
            state.flush_if_now(context, flush);
        });
    }

    /// Closes now; with `reset`, by RST. What was sent before, and is not corked, goes to the kernel as far as it takes it.
    pub fn destroy(self: &Arc<Self>, reset: bool) {
        self.command(|state, context| state.destroy(context, reset));
    }

    /// Closes when what has arrived is read.
    pub fn close_after_input(self: &Arc<Self>) {
        self.command(|state, _| state.close_wanted = true);
        self.schedule();
    }

    /// Nagle's algorithm off or on.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.with_stream(|stream| stream.set_nodelay(on))
            .unwrap_or(Ok(()))
    }

    /// TCP keep-alive, or none.
    pub fn set_keepalive(&self, probes: Option<Probes>) -> io::Result<()> {
        self.with_stream(|stream| stream.set_keepalive(probes))
            .unwrap_or(Ok(()))
    }

    /// The type of service, or traffic class, of what is sent.
    pub fn set_type_of_service(&self, value: u32) -> io::Result<()> {
        self.with_stream(|stream| stream.set_type_of_service(value))
            .unwrap_or(Ok(()))
    }

    /// See [`Connection::set_type_of_service`].
    pub fn type_of_service(&self) -> io::Result<u32> {
        self.with_stream(|stream| stream.type_of_service())
            .unwrap_or(Ok(0))
    }

    /// Gives the socket away, with all that was read of it, of which JavaScript may have a head. No event follows. `None`
    /// if it is closed.
    #[cfg(unix)]
    pub fn release(self: &Arc<Self>) -> Option<(OwnedFd, Vec<u8>)> {
        let released = self.command(|state, _| state.release());
        self.released.store(released.is_some(), Ordering::Relaxed);
        released
    }
}
