//! A thread that polls the engine, and how its events come to the JS thread.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use crate::engine::sync::lock;
use crate::engine::{Batch, Engine};
use crate::node::driver::wakeup::Wakeup;
use crate::node::raw::catch_panic::catch_panic;

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
    /// Starts to poll `engine`; batches go to `outbox`, with one wake-up for all that one wait brought.
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
                        // A connection that panics must not take the others along.
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

    /// Ends the thread once it has finished the poll it is in.
    pub(crate) fn stop(self) {
        self.outbox.release(&self.stop);
        self.engine.interrupt();
        // A panic was reported by the hook already.
        let _ = self.thread.join();
    }
}
