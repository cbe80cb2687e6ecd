//! The runtime of one JavaScript environment.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::fan_out::{FanOut, FanOuts};
use super::reactor_fd;
use super::run_queue::{Pollable, RunQueue};
use super::shared_frame::PendingFrame;
use super::thread_pool::Effort;

/// The runtime of one JavaScript environment, and what is to be polled on it.
pub struct Engine {
    runtime: Runtime,
    run_queue: Arc<RunQueue>,
    fan_outs: FanOuts,
}

impl Engine {
    /// Builds a runtime that does I/O and nothing else: timers are JavaScript's.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        Ok(Arc::new(Self {
            runtime,
            run_queue: Arc::new(RunQueue::new(Box::new(wake))),
            fan_outs: FanOuts::default(),
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
        self.run_queue.leave_thread();
        // One yield has tokio look at its descriptors once, with a zero timeout.
        self.runtime.block_on(tokio::task::yield_now());
    }

    /// Waits until a source is ready or [`Engine::interrupt`] is called.
    pub fn wait(&self) {
        self.runtime.block_on(self.run_queue.wait());
    }

    /// Ends a [`Engine::wait`], now or when it is next called.
    pub fn interrupt(&self) {
        self.run_queue.interrupt();
    }

    /// The thread that drives waits for JavaScript before it polls `pollables` and what is ready: what was sent is written now,
    /// and what is sent until [`Engine::resume_polls`] by who has it written.
    pub fn hold_polls(self: &Arc<Self>, pollables: &mut VecDeque<Pollable>) {
        // Who sends from here on sees that, or the pollable is there by now.
        self.run_queue.set_held(true);
        self.take_ready(pollables);
        for pollable in &*pollables {
            pollable.write_unpolled();
        }
        if self.has_fan_outs() {
            self.schedule_fan_outs();
        }
    }

    /// It polls again.
    pub fn resume_polls(&self) {
        self.run_queue.set_held(false);
    }

    /// A thread drives, and nothing is polled as long as JavaScript takes no events.
    pub(super) fn holds_polls(&self) -> bool {
        self.run_queue.is_held()
    }

    /// Nothing is polled any more.
    pub fn close(&self) {
        self.run_queue.close();
        self.fan_outs.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.run_queue.is_closed()
    }

    /// Has `source` polled.
    pub fn schedule(&self, source: Pollable) {
        self.run_queue.push(source);
    }

    /// The same, before those that are to be polled already.
    pub(super) fn schedule_first(&self, source: Pollable) {
        self.run_queue.push_first(source);
    }

    /// The same for a source whose socket has just been registered: the kernel tells at once what it is ready for.
    pub(super) fn schedule_registered(&self, source: Pollable) {
        self.run_queue.push_registered(source);
    }

    pub(super) fn run_job(&self, effort: Effort, job: impl FnOnce() + Send + 'static) {
        self.run_queue.run_job(effort, job);
    }

    /// Where its pollables wait.
    pub(super) fn run_queue(&self) -> Arc<RunQueue> {
        Arc::clone(&self.run_queue)
    }

    /// A thread drives.
    pub(super) fn has_thread(&self) -> bool {
        self.run_queue.has_thread()
    }

    /// Has what was scheduled polled without waiting for the kernel's next event.
    pub(super) fn urge(&self) {
        self.run_queue.urge();
    }

    /// Whether something is to be polled that no event of the kernel will wake the driver for.
    pub fn has_urgent(&self) -> bool {
        self.run_queue.is_urgent()
    }

    /// Sends a message to many: by the thread that drives, or by another one while that is the JS thread.
    pub fn fan_out(self: &Arc<Self>, fan_out: FanOut) {
        let pending: Vec<_> = fan_out.pending().map(Arc::clone).collect();
        if self.fan_outs.push(fan_out) {
            self.schedule_fan_outs();
        }
        for frame in pending {
            self.make(frame);
        }
    }

    /// Has a frame made by another thread, as what is sent to one connection is compressed.
    fn make(self: &Arc<Self>, frame: Arc<PendingFrame>) {
        if !frame.begin() {
            return;
        }
        let engine = Arc::clone(self);
        self.run_job(frame.effort(), move || {
            if engine.is_closed() {
                return;
            }
            frame.get();
            if engine.fan_outs.resume() {
                engine.schedule_fan_outs();
            }
        });
    }

    fn schedule_fan_outs(self: &Arc<Self>) {
        let engine = Arc::clone(self);
        let step = move || {
            if !engine.is_closed() && engine.fan_outs.run() {
                engine.schedule_fan_outs();
            }
        };
        if self.has_thread() && !self.holds_polls() {
            self.schedule(Pollable::Once(Box::new(move |_| step())));
        } else {
            self.run_job(Effort::Large, step);
        }
    }

    /// Whether messages to many are on their way.
    pub fn has_fan_outs(&self) -> bool {
        self.fan_outs.is_busy()
    }

    /// Sends them here and now: no other thread may come to it.
    pub fn finish_fan_outs(&self) {
        self.fan_outs.finish();
    }

    pub(super) fn fan_outs(&self) -> &FanOuts {
        &self.fan_outs
    }

    /// Whether the first of the ready sources is to be polled before all that were ready before it.
    pub fn has_first(&self) -> bool {
        self.run_queue.has_first()
    }

    /// Takes the first of the ready sources.
    pub fn take_first(&self) -> Option<Pollable> {
        self.run_queue.take_first()
    }

    /// Moves the ready sources to the end of `into`.
    pub fn take_ready(&self, into: &mut impl Extend<Pollable>) {
        self.run_queue.take(into);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::task::{Context, Waker};

    use super::*;

    /// A socket of `engine`, and its peer.
    fn pair(engine: &Engine) -> (tokio::net::TcpStream, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let peer = TcpStream::connect(address).expect("a connection");
        let (socket, _) = listener.accept().expect("a connection");
        socket.set_nonblocking(true).expect("a socket");
        let socket = engine.enter(|| tokio::net::TcpStream::from_std(socket));
        (socket.expect("a registered socket"), peer)
    }

    /// tokio documents neither that one yield looks at the driver, nor that it does so without waiting.
    #[test]
    fn one_poll_collects_what_the_kernel_has_ready_and_does_not_wait() {
        let engine = Engine::new(|| ()).expect("a runtime");
        let (socket, mut peer) = pair(&engine);
        let mut context = Context::from_waker(Waker::noop());
        let mut is_readable = || socket.poll_read_ready(&mut context).is_ready();
        engine.poll();
        assert!(!is_readable());
        peer.write_all(b"hi").expect("room");
        assert!(!is_readable());
        engine.poll();
        assert!(is_readable());
    }

    /// The descriptor is found by what `/proc` lists: another runtime's must not be taken for it.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_readiness_fd_is_readable_when_a_socket_of_this_runtime_is() {
        fn is_readable(fd: i32) -> bool {
            let mut poll = libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one entry, which lives as long as the call.
            unsafe { libc::poll(&mut poll, 1, 0) > 0 }
        }

        let engines = [(); 2].map(|()| Engine::new(|| ()).expect("a runtime"));
        let fds = engines
            .each_ref()
            .map(|engine| engine.readiness_fd().expect("a descriptor"));
        assert_ne!(fds[0], fds[1]);
        let (_socket, mut peer) = pair(&engines[0]);
        for engine in &engines {
            engine.poll();
        }
        assert!(!is_readable(fds[0]) && !is_readable(fds[1]));
        peer.write_all(b"hi").expect("room");
        assert!(is_readable(fds[0]) && !is_readable(fds[1]));
    }
}
