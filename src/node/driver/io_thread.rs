//! A thread that polls the engine, and how its events come to the JS thread.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use crate::engine::sync::lock;
use crate::engine::{Batch, Engine, Pollable};
use crate::node::driver::wakeup::Wakeup;
use crate::node::raw::catch_panic::catch_panic;

/// Bytes of events beyond which the I/O thread waits for the JS thread.
const MAX_OUTBOX: usize = 16 * 1024 * 1024;

/// Events of one wait that the JS thread gets before the others are polled: both threads have something to do meanwhile. With
/// fewer it would be woken too often.
const HANDED_OVER: usize = 256;

/// Batches on their way from the I/O thread to the JS thread.
#[derive(Default)]
pub(crate) struct Outbox {
    filled: Mutex<Filled>,
    taken: Condvar,
}

/// What is in it.
#[derive(Default)]
pub(crate) struct Filled {
    /// Oldest first.
    pub(crate) batches: Vec<Batch>,
    /// How many sockets brought messages in the waits that have ended, if one has.
    pub(crate) busy: Option<usize>,
}

impl Filled {
    fn is_full(&self) -> bool {
        self.batches.iter().map(|batch| batch.bytes).sum::<usize>() > MAX_OUTBOX
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Filled> {
        lock(&self.filled)
    }

    /// Adds a batch. Returns whether there is no room for another one.
    fn push(&self, batch: Batch, wakeup: &Wakeup) -> bool {
        let mut filled = self.lock();
        filled.batches.push(batch);
        wakeup.send();
        filled.is_full()
    }

    /// Waits for room, unless `stop` is set.
    fn wait_for_room(&self, stop: &AtomicBool) {
        let has_to_wait = |filled: &mut Filled| filled.is_full() && !stop.load(Ordering::Acquire);
        drop(self.taken.wait_while(self.lock(), has_to_wait));
    }

    /// A wait has ended in which `busy` sockets brought messages.
    fn count(&self, busy: usize) {
        *self.lock().busy.get_or_insert_default() += busy;
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().batches.is_empty()
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Filled {
        let filled = mem::take(&mut *self.lock());
        self.taken.notify_one();
        filled
    }

    /// Ends the wait for room.
    fn release(&self, stop: &AtomicBool) {
        let _filled = self.lock();
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
    /// Starts to poll `engine`; batches go to `outbox`, as a rule with one wake-up for all that one wait brought.
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
                let mut sources = VecDeque::new();
                let mut batch = Batch::default();
                let hand_over = |batch: &mut Batch, sources: &mut VecDeque<Pollable>| {
                    if outbox.push(batch.take(), &wakeup) {
                        // JavaScript may send meanwhile, and work on.
                        engine.hold_polls(sources);
                        outbox.wait_for_room(&stop);
                        engine.resume_polls();
                    }
                };
                while !stop.load(Ordering::Acquire) {
                    engine.wait();
                    engine.take_ready(&mut sources);
                    let mut busy = 0;
                    while let Some(source) = sources.pop_front() {
                        batch.goes_on = false;
                        // A connection that panics must not take the others along.
                        catch_panic(|| source.poll(&mut batch));
                        // As Node, which gives programs all records that it has read before it looks at other sockets:
                        // they are told one after the other, and not when the event loop has gone round.
                        if batch.goes_on
                            && let Some(first) = engine.take_first()
                        {
                            sources.push_front(first);
                        }
                        if batch.bytes > MAX_OUTBOX || batch.events.len() >= HANDED_OVER {
                            busy += batch.busy;
                            hand_over(&mut batch, &mut sources);
                        }
                    }
                    busy += batch.busy;
                    if !batch.polls.is_empty() || busy > 0 {
                        outbox.count(busy);
                    }
                    if batch.is_empty() {
                        batch.clear();
                    } else {
                        hand_over(&mut batch, &mut sources);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Kind, Origin, Owner};

    /// One of `left` records that its socket has received already.
    fn record(engine: &Arc<Engine>, left: u32) -> Pollable {
        let engine = Arc::clone(engine);
        Pollable::Once(Box::new(move |batch| {
            let first = batch.events.len();
            batch.push(Kind::Text, 0);
            batch.end_poll(first, Origin::Unit, || Owner::Task { bridge: 0, id: 0 });
            batch.goes_on = left > 1;
            if batch.goes_on {
                engine.schedule(record(&engine, left - 1));
            }
        }))
    }

    #[test]
    fn what_a_socket_has_received_already_is_handed_over_together() {
        let engine = Engine::new(|| ()).expect("a runtime");
        let (outbox, wakeup) = (Arc::<Outbox>::default(), Arc::new(Wakeup::new()));
        let thread = IoThread::start(Arc::clone(&engine), Arc::clone(&outbox), wakeup);
        engine.schedule(record(&engine, 3));
        let batches = loop {
            let batches = outbox.take().batches;
            if !batches.is_empty() {
                break batches;
            }
            std::thread::yield_now();
        };
        thread.expect("a thread").stop();
        let polls: Vec<_> = batches.iter().map(|batch| batch.polls.len()).collect();
        assert_eq!(polls, [3]);
    }

    #[test]
    fn what_is_handed_over_in_parts_is_counted_when_the_wait_has_ended() {
        let (outbox, wakeup) = (Outbox::default(), Wakeup::new());
        outbox.push(Batch::default(), &wakeup);
        let part = outbox.take();
        assert_eq!((part.batches.len(), part.busy), (1, None));
        outbox.count(40);
        outbox.push(Batch::default(), &wakeup);
        outbox.count(2);
        outbox.push(Batch::default(), &wakeup);
        let rest = outbox.take();
        assert_eq!((rest.batches.len(), rest.busy), (2, Some(42)));
        assert_eq!(outbox.take().busy, None);
    }
}
