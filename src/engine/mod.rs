//! Sockets on a tokio runtime: listening, dialling, reading, writing. Knows the protocol, knows nothing of N-API.
//!
//! One [`Engine`] serves one JavaScript environment. Whoever drives it (the JS thread or a thread of its own) takes the
//! sources that are ready and gives each one a [`Pollable::turn`]; what a turn produces is a [`Batch`] of events.

mod address;
mod connection;
mod events;
mod listener;
mod out_queue;
mod reactor_fd;
mod run_queue;
mod stream;
mod task;
mod thread_pool;

use std::io;
use std::sync::Arc;

pub use address::{Address, socket_address};
pub use connection::{Connection, Flush, NO_ID, Opening};
pub use events::{Batch, Chunk, Event, Kind, Owner, Place};
pub use listener::Listener;
#[cfg(unix)]
pub use listener::listen_on;
pub use run_queue::Pollable;
pub use stream::{DialError, Stream};
pub use task::{Outcome, Task};
pub use thread_pool::{Effort, Job, limit_jobs};

use crate::protocol::frame::MAX_HEADER_LEN;
use run_queue::RunQueue;
use tokio::runtime::{Builder, Runtime};

/// Bytes taken from a socket at once: what Node's `net.Socket` reads, so that one connection's chunk means the same, and
/// a header, so that a message of this size is one chunk.
const READ_SIZE: usize = 64 * 1024 + MAX_HEADER_LEN;

/// The runtime of one JavaScript environment and the sources on it that wait for a turn.
pub struct Engine {
    runtime: Runtime,
    ready: Arc<RunQueue>,
}

impl Engine {
    /// Builds a runtime that does I/O and nothing else: the engine has no clock.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        Ok(Arc::new(Self {
            runtime,
            ready: Arc::new(RunQueue::new(Box::new(wake))),
        }))
    }

    /// The descriptor that is readable when a socket of this runtime is, where the platform lets us find it.
    pub fn readiness_fd(&self) -> Option<i32> {
        let _context = self.runtime.enter();
        reactor_fd::find()
    }

    /// Registers what `make` creates with this runtime.
    pub fn enter<T>(&self, make: impl FnOnce() -> T) -> T {
        let _context = self.runtime.enter();
        make()
    }

    /// Collects what the kernel has ready, without waiting.
    pub fn poll(&self) {
        self.ready.leave_thread();
        // One yield is one look at the driver with a zero timeout.
        self.runtime.block_on(tokio::task::yield_now());
    }

    /// Waits until a source is ready or [`Engine::interrupt`] is called.
    pub fn wait(&self) {
        self.runtime.block_on(self.ready.wait());
    }

    /// Ends a [`Engine::wait`], now or when it is next called.
    pub fn interrupt(&self) {
        self.ready.interrupt();
    }

    /// Nothing gets a turn any more.
    pub fn close(&self) {
        self.ready.close();
    }

    fn is_closed(&self) -> bool {
        self.ready.is_closed()
    }

    /// Asks for a turn of `source`.
    pub fn schedule(&self, source: Pollable) {
        self.ready.push(source);
    }

    /// The same for a source whose socket has just been registered: the kernel tells at once what it is ready for.
    fn schedule_registered(&self, source: Pollable) {
        self.ready.push_registered(source);
    }

    fn run_job(&self, effort: Effort, job: impl FnOnce() + Send + 'static) {
        self.ready.run_job(effort, job);
    }

    /// A thread drives.
    fn has_thread(&self) -> bool {
        self.ready.has_thread()
    }

    /// Does not wait for the kernel's next event with the turns of what was scheduled.
    fn urge(&self) {
        self.ready.urge();
    }

    /// Whether a source waits for a turn that no event of the kernel will bring about.
    pub fn has_urgent(&self) -> bool {
        self.ready.is_urgent()
    }

    /// Moves the ready sources to the end of `into`.
    pub fn take_ready(&self, into: &mut impl Extend<Pollable>) {
        self.ready.take(into);
    }
}
