//! What waits to be polled.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use super::events::Batch;
use super::sync::lock;
use super::thread_pool::{self, Effort};

/// What makes events: a socket, or a member of a hub.
pub trait Source: Send + Sync {
    /// Does the work that is ready, within bounds, and puts the events into `batch`.
    fn poll(self: Arc<Self>, batch: &mut Batch);

    /// Writes what a poll would write first: none comes soon.
    fn write_unpolled(self: Arc<Self>) {}
}

/// One bounded unit of work.
pub enum Pollable {
    /// A connection to read from, write to or report on, a listener to accept from, or a member of a hub.
    Source(Arc<dyn Source>),
    /// A task to report, or a job that there is no other thread for.
    Once(Box<dyn FnOnce(&mut Batch) + Send>),
}

impl Pollable {
    /// Where the source is, which tells it from others as long as it is there.
    pub fn address(&self) -> Option<usize> {
        match self {
            Self::Source(source) => Some(Arc::as_ptr(source).addr()),
            Self::Once(_) => None,
        }
    }

    /// Has a source write what a poll would write first.
    pub fn write_unpolled(&self) {
        if let Self::Source(source) = self {
            Arc::clone(source).write_unpolled();
        }
    }

    /// Does it, and puts the events into `batch`.
    pub fn poll(self, batch: &mut Batch) {
        match self {
            Self::Source(source) => source.poll(batch),
            Self::Once(work) => work(batch),
        }
    }
}

#[derive(Default)]
struct Queued {
    sources: Vec<Pollable>,
    /// One of them must not wait for the next event of the kernel.
    urgent: bool,
    waiter: Option<Waker>,
    /// The I/O thread drives. It waits here between its polls; what becomes ready meanwhile wakes nobody else.
    has_thread: bool,
    interrupted: bool,
    /// Nobody takes any more.
    closed: bool,
}

/// The list itself. Socket wakers and the JS thread push, the driver takes.
pub(super) struct RunQueue {
    queued: Mutex<Queued>,
    /// One is there that was put in front of the others.
    has_first: AtomicBool,
    /// The I/O thread drives, and waits for something else than what is here.
    is_held: AtomicBool,
    /// Called when the list was empty and no I/O thread drives: wakes the JS thread.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl RunQueue {
    pub(super) fn new(wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            queued: Mutex::default(),
            has_first: AtomicBool::new(false),
            is_held: AtomicBool::new(false),
            wake,
        }
    }

    /// Runs `job` on another thread, or, where none is to be had, as a pollable.
    pub(super) fn run_job(&self, effort: Effort, job: impl FnOnce() + Send + 'static) {
        if let Err(job) = thread_pool::run(Box::new(job), effort) {
            self.push(Pollable::Once(Box::new(|_| job())));
        }
    }

    pub(super) fn push(&self, source: Pollable) {
        self.add(source, true, false);
    }

    /// The same in front of those that are there.
    pub(super) fn push_first(&self, source: Pollable) {
        self.add(source, true, true);
    }

    /// Adds a source whose first event the kernel is about to tell: a driver that waits for the kernel is not woken for it.
    /// The I/O thread may have had that event already, and end before it looks at the list: then the next driver must not
    /// wait.
    pub(super) fn push_registered(&self, source: Pollable) {
        self.add(source, false, false);
    }

    fn add(&self, source: Pollable, urgent: bool, first: bool) {
        let mut queued = lock(&self.queued);
        if !queued.closed {
            let place = if first { 0 } else { queued.sources.len() };
            queued.sources.insert(place, source);
            if first {
                self.has_first.store(true, Ordering::Relaxed);
            }
            let urgent = urgent || queued.has_thread;
            self.wake(queued, urgent);
        }
    }

    pub(super) fn urge(&self) {
        self.wake(lock(&self.queued), true);
    }

    fn wake(&self, mut queued: MutexGuard<'_, Queued>, urgent: bool) {
        let is_first = urgent && !std::mem::replace(&mut queued.urgent, true);
        let waiter = queued.waiter.take();
        drop(queued);
        match waiter {
            Some(waiter) => waiter.wake(),
            None if is_first => (self.wake)(),
            None => {}
        }
    }

    pub(super) fn has_thread(&self) -> bool {
        lock(&self.queued).has_thread
    }

    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::SeqCst)
    }

    pub(super) fn set_held(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    /// No I/O thread drives any more.
    pub(super) fn leave_thread(&self) {
        lock(&self.queued).has_thread = false;
    }

    pub(super) fn take(&self, into: &mut impl Extend<Pollable>) {
        let mut queued = lock(&self.queued);
        queued.urgent = false;
        self.has_first.store(false, Ordering::Relaxed);
        into.extend(queued.sources.drain(..));
    }

    /// Whether one is there that was put in front of the others, and not taken.
    pub(super) fn has_first(&self) -> bool {
        self.has_first.load(Ordering::Relaxed)
    }

    /// Takes the first one.
    pub(super) fn take_first(&self) -> Option<Pollable> {
        let mut queued = lock(&self.queued);
        self.has_first.store(false, Ordering::Relaxed);
        let first = (!queued.sources.is_empty()).then(|| queued.sources.remove(0));
        queued.urgent &= !queued.sources.is_empty();
        first
    }

    pub(super) fn is_urgent(&self) -> bool {
        lock(&self.queued).urgent
    }

    /// Forgets all sources, those to come too: they hold the engine that this list is part of.
    pub(super) fn close(&self) {
        let mut queued = lock(&self.queued);
        queued.closed = true;
        let sources = std::mem::take(&mut queued.sources);
        drop(queued);
        drop(sources);
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.queued).closed
    }

    pub(super) fn interrupt(&self) {
        let mut queued = lock(&self.queued);
        queued.interrupted = true;
        let waiter = queued.waiter.take();
        drop(queued);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    pub(super) async fn wait(&self) {
        poll_fn(|context| {
            let mut queued = lock(&self.queued);
            queued.has_thread = true;
            if queued.interrupted || !queued.sources.is_empty() {
                queued.interrupted = false;
                queued.waiter = None;
                return Poll::Ready(());
            }
            queued.waiter = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
