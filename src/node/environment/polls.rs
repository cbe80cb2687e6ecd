//! The polls of an environment's engine, and who does them: the JS thread, or a thread that hands it what they brought.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_int;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use napi::{Error, Result, sys};

use super::Environment;
use crate::engine::{Batch, Connection, Pollable, Task};
use crate::node::bridge::Bridge;
use crate::node::bridge::queue::SharedBatch;
use crate::node::driver::busy_poll::BusyPoll;
use crate::node::driver::io_thread::{IoThread, Outbox};
use crate::node::driver::policy::{Choice, Policy};
use crate::node::driver::unwatch::unwatch;
use crate::node::driver::watch::{AfterClosing, NextRound, Prepare, Watch};
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::Uv;
use crate::node::raw::uv_handle::{Callback, UvHandle};
use crate::node::raw::values::check;

/// Who polls the engine. With a watch the JS thread can; with a thread, that one does.
pub(super) struct Driver {
    /// What libuv waits for events with.
    libuv_epoll: Cell<Option<c_int>>,
    watch: RefCell<Option<Watch>>,
    prepare: RefCell<Option<Prepare>>,
    next_round: RefCell<Option<NextRound>>,
    after_closing: RefCell<Option<AfterClosing>>,
    busy_poll: RefCell<Option<BusyPoll>>,
    thread: RefCell<Option<IoThread>>,
    policy: RefCell<Policy>,
    outbox: Arc<Outbox>,
    /// What the JS thread has still to poll.
    pollables: RefCell<VecDeque<Pollable>>,
    /// What its polls put their events into, while it is not in use.
    spare: Cell<Option<SharedBatch>>,
    /// The JS thread has polled since the event loop last looked for events.
    has_polled: Cell<bool>,
    /// A connection was dialled since, and is not to be looked at before the event loop looks for events.
    has_dialled: Cell<bool>,
    /// The JS thread has not polled since the watch was renewed: it has its turn before that is done again.
    is_renewed: Cell<bool>,
    /// Tasks that are over when the event loop goes round next.
    round_tasks: RefCell<Vec<Task>>,
    /// Connections of which the JS thread delivers itself what came before they were opened, until the event loop goes round.
    early: RefCell<Vec<Arc<Connection>>>,
}

impl Driver {
    pub(super) fn new() -> Self {
        Self {
            libuv_epoll: Cell::default(),
            watch: RefCell::default(),
            prepare: RefCell::default(),
            next_round: RefCell::default(),
            after_closing: RefCell::default(),
            busy_poll: RefCell::default(),
            thread: RefCell::default(),
            policy: RefCell::new(Policy::new(choice())),
            outbox: Arc::default(),
            pollables: RefCell::default(),
            spare: Cell::default(),
            has_polled: Cell::default(),
            has_dialled: Cell::default(),
            is_renewed: Cell::default(),
            round_tasks: RefCell::default(),
            early: RefCell::default(),
        }
    }

    /// The JS thread polls no more: libuv's handles, which have still to be closed.
    pub(super) fn stop_watching(&self) -> Vec<UvHandle> {
        let watch = self.watch.take().map(Watch::into_handle);
        let prepare = self.prepare.take().map(Prepare::into_handle);
        let next_round = self.next_round.take().map(NextRound::into_handles);
        let next_round = next_round.into_iter().flatten();
        watch.into_iter().chain(prepare).chain(next_round).collect()
    }

    /// Ends the thread, if there is one.
    pub(super) fn stop_thread(&self) {
        let thread = self.thread.take();
        if let Some(thread) = thread {
            thread.stop();
        }
    }
}

impl Environment {
    /// Node.js closes the descriptor of a socket that is adopted: see [`unwatch`].
    pub(crate) fn unwatch(&self, fd: c_int) {
        if let Some(epoll) = self.driver.libuv_epoll.get() {
            unwatch(epoll, fd);
        }
    }

    /// Finds out which thread can drive, and has it do so.
    pub(super) fn start_driver(self: &Rc<Self>, uv: Option<Uv>) -> Result<()> {
        let on_wake = self.callback(Self::on_wake);
        self.wakeup
            .connect(uv, self.env, on_wake, self.callback(Self::on_item))?;
        if let Some(uv) = uv {
            let mut event_loop = ptr::null_mut();
            // SAFETY: `env` is the running call's.
            check(unsafe { sys::napi_get_uv_event_loop(self.env, &mut event_loop) })?;
            self.driver
                .libuv_epoll
                .set(Some(uv.fd_of(event_loop.cast())));
            let on_readable = self.callback(Self::on_wake);
            let watch = self
                .engine
                .readiness_fd()
                .and_then(|fd| Watch::new(uv, event_loop.cast(), fd, on_readable));
            let before_poll = self.callback(Self::before_poll);
            let prepare = Prepare::new(uv, event_loop.cast(), before_poll);
            let after_poll = self.callback(Self::after_poll);
            let next_round = NextRound::new(uv, event_loop.cast(), after_poll);
            self.driver.watch.replace(watch);
            self.driver.prepare.replace(prepare);
            self.driver.next_round.replace(next_round);
            let after_closing = AfterClosing::new(uv, event_loop.cast());
            self.driver.after_closing.replace(Some(after_closing));
            if std::env::var("OXWS_BUSY_POLL").as_deref() != Ok("0") {
                let busy_poll = BusyPoll::new(uv, event_loop.cast());
                self.driver.busy_poll.replace(Some(busy_poll));
            }
        }
        if self.can_inline() && self.driver.policy.borrow_mut().count(0, 0, true) {
            self.drive_inline();
            Ok(())
        } else {
            self.drive_by_thread().map_err(|error| {
                Error::from_reason(format!("oxws cannot start its I/O thread: {error}"))
            })
        }
    }

    /// `method` of this environment, as long as it exists and is open.
    fn callback(self: &Rc<Self>, method: fn(&Self)) -> Callback {
        let this: Weak<Self> = Rc::downgrade(self);
        Rc::new(move || {
            if let Some(environment) = this.upgrade().filter(|it| !it.is_closed.get()) {
                method(&environment);
            }
        })
    }

    fn can_inline(&self) -> bool {
        self.driver.watch.borrow().is_some()
    }

    /// The JS thread takes over.
    fn drive_inline(&self) {
        self.driver.stop_thread();
        // What the thread's last polls brought comes before what our first ones bring.
        self.deliver_outbox();
        self.sends.flush();
        self.sends.set_inline(true);
        if let Some(watch) = &*self.driver.watch.borrow() {
            watch.resume();
        }
        self.end_polls();
    }

    /// A thread takes over.
    fn drive_by_thread(&self) -> std::io::Result<()> {
        if self.sends.set_inline(false) {
            if let Some(watch) = &*self.driver.watch.borrow() {
                watch.pause();
            }
            if let Some(next_round) = &*self.driver.next_round.borrow() {
                next_round.stop();
            }
        }
        self.wakeup.idle.store(false, Ordering::Release);
        // A listener that runs the event loop may have interrupted the polls.
        for pollable in self.driver.pollables.take() {
            self.engine.schedule(pollable);
        }
        let (engine, outbox) = (Arc::clone(&self.engine), Arc::clone(&self.driver.outbox));
        let thread = IoThread::start(engine, outbox, Arc::clone(&self.wakeup))?;
        self.driver.thread.replace(Some(thread));
        Ok(())
    }

    /// Changes the driver if the policy says so. `busy` sockets brought messages since the last call, if anything was polled
    /// since. If no thread can be started, the JS thread goes on.
    fn adapt(&self, busy: Option<usize>) {
        let compressed = self.sends.take_compressed();
        if !(busy.is_some() || compressed > 0) || !self.can_inline() {
            return;
        }
        let is_inline = self.sends.is_inline();
        let mut policy = self.driver.policy.borrow_mut();
        let inline_suits = policy.count(busy.unwrap_or_default(), compressed, is_inline);
        drop(policy);
        match (is_inline, inline_suits) {
            (true, false) if self.drive_by_thread().is_err() => self.drive_inline(),
            (false, true) => self.drive_inline(),
            _ => {}
        }
    }

    /// Polls what is ready, or delivers what the I/O thread's polls brought.
    fn on_wake(&self) {
        if self.sends.is_inline() {
            self.poll_in_turn();
            return;
        }
        let busy = self.deliver_outbox();
        self.sends.flush();
        self.adapt(busy);
    }

    /// One item of the thread-safe function, for hosts without libuv. It is a callback scope already, and one that is
    /// opened within it runs no ticks: so each delivers once, and queues another item if more waits. What came meanwhile
    /// waits until the event loop has run its other callbacks.
    fn on_item(&self) {
        if self.delivery.is_empty() {
            for batch in self.driver.outbox.take().batches {
                self.delivery.enqueue_owned(batch);
            }
        }
        self.delivery.deliver_next();
        if !self.delivery.is_empty() {
            self.wakeup.go_on();
            return;
        }
        self.sends.flush();
        self.wakeup.mark_idle();
        if !self.driver.outbox.is_empty() {
            self.wakeup.send_later();
        }
    }

    /// Delivers what the I/O thread's polls brought. Returns how many sockets brought messages in the waits that have ended
    /// since, if one has.
    fn deliver_outbox(&self) -> Option<usize> {
        let filled = self.driver.outbox.take();
        for batch in filled.batches {
            self.delivery.enqueue_owned(batch);
        }
        self.delivery.deliver();
        filled.busy
    }

    /// Polls once while the event loop goes round once: it may see the watch and the wake-up together, and what Node.js
    /// itself reads must not fall behind.
    fn poll_in_turn(&self) {
        if self.driver.has_dialled.get() {
            self.poll_next_round();
            return;
        }
        let is_first = !self.driver.has_polled.replace(true);
        if is_first || self.driver.prepare.borrow().is_none() {
            self.poll();
        } else if self.engine.has_urgent() {
            self.poll_next_round();
        }
    }

    /// What is urgent is polled when the event loop goes round next. The wake-up signal would do, but libuv takes it with
    /// those of its own threads: what these have done meanwhile, as looking a name up, would be told a round too early.
    fn poll_next_round(&self) {
        match &*self.driver.next_round.borrow() {
            Some(next_round) => next_round.wait(),
            None => self.wakeup.send(),
        }
    }

    /// The event loop has looked for events.
    fn after_poll(&self) {
        if let Some(next_round) = &*self.driver.next_round.borrow() {
            next_round.stop();
        }
        if self.sends.is_inline() {
            self.poll_in_turn();
        }
    }

    /// Polls all that is ready, and delivers after each poll. A listener that runs the event loop itself has this begin
    /// within another one, which goes on with what is left.
    fn poll(&self) {
        let busy_poll = self.driver.busy_poll.borrow();
        let mut wait = busy_poll.as_ref().and_then(BusyPoll::end_wait);
        drop(busy_poll);
        self.driver.is_renewed.set(false);
        self.wakeup.idle.store(false, Ordering::Release);
        self.engine.poll();
        self.engine
            .take_ready(&mut *self.driver.pollables.borrow_mut());
        self.sends.begin_turn(self.driver.pollables.borrow().len());
        let mut batch = self.driver.spare.take().unwrap_or_default();
        let mut has_polled = false;
        let mut busy = 0;
        while let Some(pollable) = self.next_pollable() {
            has_polled = true;
            batch.borrow_mut().clear();
            let address = pollable.address();
            // A connection whose poll panics must not take the others along.
            catch_panic(|| pollable.poll(&mut batch.borrow_mut()));
            busy += batch.borrow().busy;
            if busy > 0
                && let Some(wait) = wait.take()
            {
                self.count_wait(wait, address);
            }
            let has_failure = batch.borrow().has_failure();
            if self.delivery.is_delivering() {
                // It may have to wait.
                let taken = batch.borrow_mut().take();
                self.delivery.enqueue_owned(taken);
            } else {
                self.delivery.enqueue(&batch);
            }
            self.delivery.deliver();
            // As Node, which gives programs all records that it has read before it looks at other sockets. What had come
            // before a write failed has its turn here, too.
            if self.engine.has_first()
                && let Some(first) = self.engine.take_first()
            {
                self.driver.pollables.borrow_mut().push_front(first);
            }
            if has_failure {
                // JavaScript has closed the connection: as with libuv that is told while the event loop goes round once.
                self.engine
                    .take_ready(&mut *self.driver.pollables.borrow_mut());
            }
            if Rc::strong_count(&batch) > 1 {
                batch = SharedBatch::default();
            }
        }
        self.driver.spare.set(Some(batch));
        self.sends.end_turn();
        if self.sends.is_inline() {
            self.end_polls();
        }
        self.adapt(has_polled.then_some(busy));
    }

    /// A connection has something to deliver that came before it was opened: [`poll_now`](Self::poll_now) follows. Where the
    /// I/O thread drives nothing of it is delivered before that, or before the event loop looks for events.
    pub(crate) fn await_poll(&self, connection: &Arc<Connection>) {
        if !self.sends.is_inline() && self.driver.prepare.borrow().is_some() {
            self.driver.early.borrow_mut().push(Arc::clone(connection));
        }
    }

    /// Polls one connection, and delivers: the kernel has nothing to do with what comes of it. Where the I/O thread drives,
    /// that is only what came before it was opened.
    pub(crate) fn poll_now(&self, connection: Arc<Connection>) {
        let mut batch = Batch::default();
        if self.sends.is_inline() {
            connection.release_early();
            catch_panic(|| Pollable::Source(connection).poll(&mut batch));
            self.delivery.enqueue_owned(batch);
            self.delivery.deliver();
        } else {
            while connection.poll_early(&mut batch) {
                self.delivery.deliver_first(batch.take());
            }
        }
        if !self.sends.is_dispatching() {
            self.sends.flush();
        }
    }

    /// A connection is about to be dialled. A listening socket in this process hears of it first, as it does of one that
    /// libuv dials. A program that dials in each round does not keep others from being polled.
    pub(crate) fn before_dialling(&self) {
        if self.sends.is_inline()
            && self.driver.prepare.borrow().is_some()
            && let Some(watch) = &*self.driver.watch.borrow()
            && !self.driver.is_renewed.replace(true)
        {
            watch.renew();
            self.driver.has_dialled.set(true);
        }
    }

    fn next_pollable(&self) -> Option<Pollable> {
        self.driver.pollables.borrow_mut().pop_front()
    }

    /// What becomes ready from here on wakes us; what did meanwhile, too.
    fn end_polls(&self) {
        self.wakeup.idle.store(true, Ordering::Release);
        if self.engine.has_urgent() {
            self.poll_next_round();
        }
    }

    /// The event loop looks for events next. What has begun and not ended by now waits for them: a listener, or a timer,
    /// runs the event loop itself. What was sent leaves, and what was to be done afterwards is done meanwhile.
    fn before_poll(&self) {
        self.driver.has_polled.set(false);
        self.driver.has_dialled.set(false);
        self.sends.stay();
        self.begin_round();
        self.delivery.prepare();
        if self.sends.is_pending() {
            self.sends.flush();
        }
        for connection in self.driver.early.take() {
            connection.release_early();
        }
        if self.sends.is_inline() && !self.wakeup.idle.load(Ordering::Acquire) {
            self.end_polls();
        }
        if !self.delivery.is_empty()
            || !self.driver.pollables.borrow().is_empty()
            || !self.driver.round_tasks.borrow().is_empty()
        {
            self.wakeup.send();
        }
        let has_sent = self.sends.recipients().take_new();
        if let Some(busy_poll) = &*self.driver.busy_poll.borrow() {
            busy_poll.begin_wait(has_sent && self.sends.is_inline());
        }
    }

    /// The first message after a wait has come from the source at `address`.
    fn count_wait(&self, wait: Duration, address: Option<usize>) {
        let is_answer = address.is_some_and(|address| self.sends.recipients().has(address));
        if let Some(busy_poll) = &*self.driver.busy_poll.borrow() {
            busy_poll.count(wait, is_answer);
        }
    }

    /// Has `bridge` told when the event loop goes round next, before it looks for events: what it has closed meanwhile is
    /// told by then. Returns the id of the task, or `None` where nobody tells of rounds.
    pub(crate) fn await_round(&self, bridge: &Bridge) -> Option<u32> {
        self.driver.prepare.borrow().as_ref()?;
        let (id, task) = bridge.add_task();
        self.driver.round_tasks.borrow_mut().push(task);
        Some(id)
    }

    /// The last one first, as libuv tells of what is closed.
    fn begin_round(&self) {
        self.end_tasks(self.driver.round_tasks.take().into_iter().rev());
    }

    /// Has `bridge` told when libuv tells of the handles that are closed by now, as it would of one that is closed now. Returns
    /// the id of the task, or `None` without libuv.
    pub(crate) fn await_closing(self: &Rc<Self>, bridge: &Bridge) -> Option<u32> {
        let handle = self.driver.after_closing.borrow().as_ref()?.handle()?;
        let (id, task) = bridge.add_task();
        let this = Rc::downgrade(self);
        handle.close(move || {
            if let Some(environment) = this.upgrade().filter(|it| !it.is_closed.get()) {
                environment.end_tasks([task]);
            }
        });
        Some(id)
    }

    fn end_tasks(&self, tasks: impl IntoIterator<Item = Task>) {
        let mut batch = Batch::default();
        for task in tasks {
            task.end_in(&mut batch);
        }
        if !batch.is_empty() {
            self.delivery.enqueue_owned(batch);
            self.delivery.deliver();
        }
    }

    /// Ends a tick of JavaScript: writes all that was sent. Polls of the JS thread consult the policy themselves.
    pub(crate) fn end_tick(&self) {
        self.sends.flush();
        let is_between_polls = !self.sends.is_dispatching() && self.sends.is_inline();
        if self.sends.has_compressed() && is_between_polls {
            self.adapt(None);
        }
    }

    /// The process is about to end: writes all that was sent, and from here on each send at once, with either driver.
    pub(crate) fn leave(&self) {
        self.engine.finish_fan_outs();
        self.sends.leave(self.delivery.connections());
    }
}

/// What `OXWS_DRIVER` says. With one processor the I/O thread and the JS thread would only alternate.
fn choice() -> Choice {
    match std::env::var("OXWS_DRIVER").as_deref() {
        Ok("inline") => Choice::Inline,
        Ok("thread") => Choice::Thread,
        Ok("alternate") => Choice::Alternate,
        _ if std::thread::available_parallelism().is_ok_and(|n| n.get() == 1) => Choice::Inline,
        _ => Choice::Adaptive,
    }
}
