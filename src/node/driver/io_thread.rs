//! Who turns the engine: the JS thread, or a thread of its own.

use std::ffi::c_int;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use crate::engine::sync::lock;
use crate::engine::{Batch, Engine};
use crate::node::driver::wakeup::Wakeup;
use crate::node::environment::Environment;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::{self, Uv};

/// libuv's watch on the runtime's descriptor.
pub(crate) struct Watch {
    uv: Uv,
    handle: uv::Handle,
}

impl Watch {
    /// A watch that has the JS thread run a turn of `environment` whenever the runtime's descriptor is readable.
    pub(crate) fn new(
        uv: Uv,
        event_loop: *mut std::ffi::c_void,
        fd: i32,
        environment: *const Environment,
    ) -> Option<Self> {
        let handle = uv.allocate(uv::POLL);
        // SAFETY: the handle has room for a `uv_poll_t`; the descriptor lives as long as the engine, and the
        // environment closes the handle before it drops the engine.
        unsafe {
            if (uv.poll_init)(event_loop, handle, fd) != 0 {
                uv.free(handle, uv::POLL);
                return None;
            }
            uv::set_data(handle, environment);
            (uv.unref_handle)(handle);
        }
        Some(Self { uv, handle })
    }

    /// Begins to watch.
    pub(crate) fn resume(&self) {
        // SAFETY: the handle is open.
        unsafe { (self.uv.poll_start)(self.handle, uv::READABLE, on_readable) };
    }

    /// Stops watching.
    pub(crate) fn pause(&self) {
        // SAFETY: as above.
        unsafe { (self.uv.poll_stop)(self.handle) };
    }

    /// Gives the handle to who closes it.
    pub(crate) fn into_handle(self) -> (Uv, uv::Handle) {
        self.pause();
        (self.uv, self.handle)
    }
}

extern "C" fn on_readable(handle: uv::Handle, _status: c_int, _events: c_int) {
    catch_panic(|| {
        // SAFETY: the data is the environment that made the handle; it lives until the handle is closed.
        unsafe { (*uv::data::<Environment>(handle)).on_wake() };
    });
}

/// libuv's call before the event loop looks for events.
pub(crate) struct Prepare {
    uv: Uv,
    handle: uv::Handle,
}

impl Prepare {
    /// Has [`Environment::before_poll`] called from here on.
    pub(crate) fn new(
        uv: Uv,
        event_loop: *mut std::ffi::c_void,
        environment: *const Environment,
    ) -> Option<Self> {
        let handle = uv.allocate(uv::PREPARE);
        // SAFETY: the handle has room for a `uv_prepare_t`; the environment outlives it (see `Environment::close`).
        unsafe {
            if (uv.prepare_init)(event_loop, handle) != 0 {
                uv.free(handle, uv::PREPARE);
                return None;
            }
            uv::set_data(handle, environment);
            (uv.prepare_start)(handle, on_prepare);
            (uv.unref_handle)(handle);
        }
        Some(Self { uv, handle })
    }

    /// Gives the handle to who closes it.
    pub(crate) fn into_handle(self) -> (Uv, uv::Handle) {
        // SAFETY: the handle is open.
        unsafe { (self.uv.prepare_stop)(self.handle) };
        (self.uv, self.handle)
    }
}

extern "C" fn on_prepare(handle: uv::Handle) {
    catch_panic(|| {
        // SAFETY: as above.
        unsafe { (*uv::data::<Environment>(handle)).before_poll() };
    });
}

/// Bytes of events beyond which the I/O thread waits for the JS thread.
const MAX_OUTBOX: usize = 16 * 1024 * 1024;

/// Batches on their way from the I/O thread to the JS thread.
#[derive(Default)]
pub(crate) struct Outbox {
    batches: Mutex<Vec<Batch>>,
    taken: Condvar,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Vec<Batch>> {
        lock(&self.batches)
    }

    /// Adds a batch, then waits for room, unless `stop` is set.
    fn push(&self, batch: Batch, wakeup: &Wakeup, stop: &AtomicBool) {
        let mut batches = self.lock();
        batches.push(batch);
        wakeup.send();
        let is_full = |batches: &mut Vec<Batch>| {
            let bytes: usize = batches.iter().map(|batch| batch.bytes).sum();
            bytes > MAX_OUTBOX && !stop.load(Ordering::Acquire)
        };
        drop(self.taken.wait_while(batches, is_full));
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes all batches, oldest first.
    pub(crate) fn take(&self) -> Vec<Batch> {
        let batches = mem::take(&mut *self.lock());
        self.taken.notify_one();
        batches
    }

    /// Ends the wait for room.
    fn release(&self, stop: &AtomicBool) {
        let _batches = self.lock();
        stop.store(true, Ordering::Release);
        self.taken.notify_one();
    }
}

/// A thread that drives an engine.
pub(crate) struct IoThread {
    engine: Arc<Engine>,
    outbox: Arc<Outbox>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl IoThread {
    /// Starts to turn `engine`; batches go to `outbox`, with one wake-up for all that one wait brought.
    pub(crate) fn start(
        engine: Arc<Engine>,
        outbox: Arc<Outbox>,
        wakeup: Arc<Wakeup>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("oxws".into()).spawn({
            let (engine, outbox) = (Arc::clone(&engine), Arc::clone(&outbox));
            let stop = Arc::clone(&stop);
            move || {
                let mut sources = Vec::new();
                let mut batch = Batch::default();
                while !stop.load(Ordering::Acquire) {
                    engine.wait();
                    engine.take_ready(&mut sources);
                    for source in sources.drain(..) {
                        // A connection whose turn panics must not take the others along.
                        catch_panic(|| source.poll(&mut batch));
                        if batch.bytes > MAX_OUTBOX {
                            outbox.push(batch.take(), &wakeup, &stop);
                        }
                    }
                    if batch.is_empty() {
                        batch.clear();
                    } else {
                        outbox.push(batch.take(), &wakeup, &stop);
                    }
                }
            }
        })?;
        Ok(Self {
            engine,
            outbox,
            stop,
            thread,
        })
    }

    /// Ends the thread and waits for its current turn.
    pub(crate) fn stop(self) {
        self.outbox.release(&self.stop);
        self.engine.interrupt();
        // A panic was reported by the hook already.
        let _ = self.thread.join();
    }
}
