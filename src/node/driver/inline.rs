//! The turns of an environment's engine, and who does them: the JS thread, or a thread that hands it what they brought.

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use napi::{Error, Result, sys};

use crate::engine::{Connection, Flush, Pollable};
use crate::node::bridge::queue::SharedBatch;
use crate::node::driver::io_thread::{IoThread, Prepare, Watch};
use crate::node::environment::{Driver, Environment};
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::Uv;
use crate::node::raw::values::check;

/// Sends of a tick, outside of a dispatch, that leave at once.
const AT_ONCE: u32 = 2;

/// How long an exit waits for messages that are being compressed. With ws they are lost.
const PATIENCE: Duration = Duration::from_millis(100);

impl Environment {
    /// Finds out who can drive, and has him do it.
    pub(crate) fn start_driver(&self, uv: Option<Uv>) -> Result<()> {
        self.wakeup.connect(uv, self.env, self)?;
        let (watch, prepare) = match uv {
            Some(uv) => {
                let mut event_loop = ptr::null_mut();
                // SAFETY: `env` is the running call's.
                check(unsafe { sys::napi_get_uv_event_loop(self.env, &mut event_loop) })?;
                let fd = self.engine.readiness_fd();
                let watch = fd.and_then(|fd| Watch::new(uv, event_loop.cast(), fd, self));
                (watch, Prepare::new(uv, event_loop.cast(), self))
            }
            None => (None, None),
        };
        let is_inline = watch.is_some() && self.load.borrow_mut().count(0, 0, true);
        *self.driver.borrow_mut() = Driver {
            watch,
            prepare,
            thread: None,
        };
        if is_inline {
            self.drive_inline();
            Ok(())
        } else {
            self.drive_by_thread().map_err(|error| {
                Error::from_reason(format!("oxws cannot start its I/O thread: {error}"))
            })
        }
    }

    /// The JS thread takes over.
    fn drive_inline(&self) {
        let thread = self.driver.borrow_mut().thread.take();
        if let Some(thread) = thread {
            thread.stop();
        }
        // What the thread's last turn brought comes before what our first one brings.
        self.deliver_outbox();
        self.flush();
        self.is_inline.set(true);
        if let Some(watch) = &self.driver.borrow().watch {
            watch.resume();
        }
        self.end_turn();
    }

    /// A thread takes over.
    fn drive_by_thread(&self) -> std::io::Result<()> {
        let (engine, outbox) = (Arc::clone(&self.engine), Arc::clone(&self.outbox));
        let mut driver = self.driver.borrow_mut();
        if self.is_inline.replace(false)
            && let Some(watch) = &driver.watch
        {
            watch.pause();
        }
        self.wakeup.idle.store(false, Ordering::Release);
        // A listener that runs the event loop may have interrupted a turn.
        for source in self.sources.take() {
            engine.schedule(source);
        }
        driver.thread = Some(IoThread::start(engine, outbox, Arc::clone(&self.wakeup))?);
        Ok(())
    }

    /// Changes the driver if the load asks for it: since the JS thread last looked `busy` sockets brought messages, if
    /// there was a turn at all. No thread to be had: the JS thread goes on.
    fn adapt(&self, has_turned: bool, busy: usize) {
        let is_inline = self.is_inline();
        let can_inline = self.driver.borrow().watch.is_some();
        let compressed = self.compressed.take();
        if !(has_turned || compressed > 0) || !can_inline {
            return;
        }
        let inline_suits = self.load.borrow_mut().count(busy, compressed, is_inline);
        match (is_inline, inline_suits) {
            (true, false) if self.drive_by_thread().is_err() => self.drive_inline(),
            (false, true) => self.drive_inline(),
            _ => {}
        }
    }

    /// Whether the JS thread drives.
    pub(crate) fn is_inline(&self) -> bool {
        self.is_inline.get()
    }

    /// Runs a turn, or delivers what the I/O thread's turns brought.
    pub(crate) fn on_wake(&self) {
        if self.closed.get() {
            return;
        }
        if self.is_inline() {
            self.poll();
            return;
        }
        let (has_turned, busy) = self.deliver_outbox();
        self.flush();
        self.adapt(has_turned, busy);
    }

    /// Delivers what the I/O thread's turns brought. Returns whether there was any, and the sockets that brought messages.
    fn deliver_outbox(&self) -> (bool, usize) {
        let batches = self.outbox.take();
        let busy = batches.iter().map(|batch| batch.busy).sum();
        let has_turned = !batches.is_empty();
        for batch in batches {
            self.enqueue(&Rc::new(RefCell::new(batch)));
        }
        self.deliver();
        (has_turned, busy)
    }

    /// A listener that runs the event loop itself has one turn begin within another, which goes on with what is left.
    fn poll(&self) {
        self.wakeup.idle.store(false, Ordering::Release);
        self.engine.poll();
        self.engine.take_ready(&mut *self.sources.borrow_mut());
        let mut batch = self.spare.take().unwrap_or_default();
        let mut has_turned = false;
        let mut busy = 0;
        while let Some(source) = self.next_source() {
            has_turned = true;
            batch.borrow_mut().clear();
            // A connection whose turn panics must not take the others along.
            catch_panic(|| source.poll(&mut batch.borrow_mut()));
            busy += batch.borrow().busy;
            if self.is_delivering() {
                // It may have to wait.
                let taken = batch.borrow_mut().take();
                self.enqueue(&Rc::new(RefCell::new(taken)));
            } else {
                self.enqueue(&batch);
            }
            self.deliver();
            if Rc::strong_count(&batch) > 1 {
                batch = SharedBatch::default();
            }
        }
        self.spare.set(Some(batch));
        self.flush();
        if self.is_inline() {
            self.end_turn();
        }
        self.adapt(has_turned, busy);
    }

    fn next_source(&self) -> Option<Pollable> {
        self.sources.borrow_mut().pop_front()
    }

    /// Sources that become ready from here on wake us; those that did meanwhile, too.
    fn end_turn(&self) {
        self.wakeup.idle.store(true, Ordering::Release);
        if self.engine.has_urgent() {
            self.wakeup.send();
        }
    }

    /// The event loop looks for events next. What has begun and not ended by now waits for them: a listener, or a timer,
    /// runs the event loop itself. What was sent leaves, and what was to be done afterwards is done meanwhile.
    pub(crate) fn before_poll(&self) {
        if self.closed.get() {
            return;
        }
        self.prepare_async_context();
        if !self.gathered.is_empty() {
            self.flush();
        }
        if self.is_inline() && !self.wakeup.idle.load(Ordering::Acquire) {
            self.end_turn();
        }
        if self.has_deliveries() || !self.sources.borrow().is_empty() {
            self.wakeup.send();
        }
    }

    /// When what is asked of `connection` is to be done; what is not done at once is with the next [`Environment::flush`].
    pub(crate) fn flush_for(&self, connection: &Arc<Connection>) -> Flush {
        if self.leaving.get().is_some() {
            return Flush::Now;
        }
        let is_first = connection.mark_dirty();
        if is_first {
            self.gathered.push(Arc::clone(connection));
        }
        if !self.is_inline() {
            Flush::OnDriver
        } else if is_first && !self.dispatching.get() {
            Flush::Now
        } else {
            Flush::EndOfTick
        }
    }

    /// The same for bytes to send. The first ones of a tick outside of a dispatch leave at once whoever drives: who sends
    /// little may be killed next. Compressing is the driver's.
    pub(crate) fn flush_for_bytes(&self, connection: &Arc<Connection>, compress: bool) -> Flush {
        let flush = self.flush_for(connection);
        let sent = self.sent_at_once.get();
        if flush == Flush::Now || self.dispatching.get() || sent == AT_ONCE {
            return flush;
        }
        if compress && flush == Flush::OnDriver {
            return flush;
        }
        self.sent_at_once.set(sent + 1);
        Flush::Now
    }

    /// Something was sent, or is to end. While the process exits nothing else comes to write it.
    pub(crate) fn sent(&self, connection: &Arc<Connection>) {
        if let Some(deadline) = self.leaving.get() {
            connection.flush_until(deadline);
        }
    }

    /// Counts a message that is compressed on its way out.
    pub(crate) fn count_compressed(&self) {
        self.compressed.set(self.compressed.get() + 1);
    }

    /// Ends a tick of JavaScript: sends all that was gathered. A turn is followed by its own look at the load.
    pub(crate) fn end_tick(&self) {
        self.flush();
        if self.compressed.get() > 0 && !self.dispatching.get() && self.is_inline() {
            self.adapt(false, 0);
        }
    }

    /// Sends all that was gathered.
    pub(crate) fn flush(&self) {
        self.sent_at_once.set(0);
        for connection in self.gathered.take() {
            connection.clear_dirty();
            if self.is_inline() {
                connection.flush();
            } else {
                connection.process_pending();
            }
        }
    }

    /// The process is about to end: sends all that has been sent, and from here on at once, whoever drives.
    pub(crate) fn leave(&self) {
        let deadline = Instant::now() + PATIENCE;
        self.leaving.set(Some(deadline));
        for connection in self.gathered.take() {
            connection.clear_dirty();
        }
        for connection in self.connections() {
            connection.flush_until(deadline);
        }
    }
}
