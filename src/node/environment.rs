//! What one JavaScript environment (the main thread, a worker) has: an engine, a driver, bridges.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use napi::{Error, Result, sys};

use super::backlog::Backlog;
use super::bridge::Bridge;
use super::driver::{IoThread, Outbox, Scratch, Watch};
use super::guard::guard;
use super::slab::Slabs;
use super::uv::{self, Uv};
use super::values::{check, made};
use super::wakeup::Wakeup;
use crate::engine::{Batch, Connection, Engine, Gather, Load, Policy};

thread_local! {
    /// One a thread: Node runs one environment on each.
    static CURRENT: RefCell<Option<Rc<Environment>>> = const { RefCell::new(None) };
}

/// Who turns the engine. With a watch the JS thread can; with a thread, that one does.
#[derive(Default)]
struct Driver {
    watch: Option<Watch>,
    thread: Option<IoThread>,
}

/// The state of one environment. JS thread only, but for what is in an `Arc`.
pub(super) struct Environment {
    pub(super) env: sys::napi_env,
    pub(super) engine: Arc<Engine>,
    pub(super) async_context: sys::napi_async_context,
    pub(super) slabs: Slabs,
    /// Where strings are read to on their way out.
    pub(super) text: RefCell<Vec<u8>>,
    /// What bytes mean that JavaScript carries.
    pub(super) fed: RefCell<Batch>,
    pub(super) wakeup: Arc<Wakeup>,
    pub(super) outbox: Arc<Outbox>,
    /// `None` while a chunk of it is delivered.
    pub(super) backlog: Cell<Option<Backlog>>,
    driver: RefCell<Driver>,
    is_inline: Cell<bool>,
    load: RefCell<Load>,
    closed: Cell<bool>,
    scratch: RefCell<Option<Scratch>>,
    bridges: RefCell<Vec<Rc<Bridge>>>,
    /// Connections that were sent to in this tick or dispatch.
    gathered: RefCell<Vec<Arc<Connection>>>,
    dispatching: Cell<bool>,
    /// Messages to compress that were sent since the load was last looked at.
    compressed: Cell<usize>,
    /// Open servers and sockets that keep the event loop alive.
    holds: Cell<usize>,
    /// Null if the hook is a plain one.
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
    /// Handles that libuv has still to close.
    closing: Cell<usize>,
}

impl Environment {
    /// This thread's environment, made when first asked for. Not every host whose process has libuv can be driven by it.
    pub(super) fn current(env: sys::napi_env, has_uv: bool) -> Result<Rc<Self>> {
        if let Some(environment) = Self::existing() {
            return Ok(environment);
        }
        let environment = Self::start(env, has_uv)?;
        CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(&environment)));
        Ok(environment)
    }

    /// This thread's environment, unless it is gone.
    pub(super) fn existing() -> Option<Rc<Self>> {
        CURRENT
            .try_with(|current| current.borrow().clone())
            .ok()
            .flatten()
    }

    fn start(env: sys::napi_env, has_uv: bool) -> Result<Rc<Self>> {
        let wakeup = Arc::new(Wakeup::new());
        let engine = Engine::new({
            let wakeup = Arc::clone(&wakeup);
            move || wakeup.send_if_idle()
        })
        .map_err(|error| Error::from_reason(format!("oxws cannot start its engine: {error}")))?;
        let environment = Rc::new(Self {
            env,
            engine,
            async_context: make_async_context(env)?,
            slabs: Slabs::default(),
            text: RefCell::default(),
            fed: RefCell::default(),
            wakeup,
            outbox: Arc::default(),
            backlog: Cell::new(Some(Backlog::default())),
            driver: RefCell::default(),
            is_inline: Cell::new(false),
            load: RefCell::new(Load::new(policy())),
            closed: Cell::new(false),
            scratch: RefCell::default(),
            bridges: RefCell::default(),
            gathered: RefCell::default(),
            dispatching: Cell::new(false),
            compressed: Cell::new(0),
            holds: Cell::new(0),
            cleanup: Cell::new(ptr::null_mut()),
            closing: Cell::new(0),
        });
        let uv = Uv::find().filter(|_| has_uv);
        let started = environment
            .start_driver(uv)
            .and_then(|()| environment.add_cleanup(uv.is_some()));
        if started.is_err() {
            environment.close();
            environment.release();
        }
        started.map(|()| environment)
    }

    fn start_driver(&self, uv: Option<Uv>) -> Result<()> {
        self.wakeup.connect(uv, self.env, self)?;
        let watch = uv.and_then(|uv| {
            let mut event_loop = ptr::null_mut();
            // SAFETY: `env` is the running call's.
            check(unsafe { sys::napi_get_uv_event_loop(self.env, &mut event_loop) }).ok()?;
            Watch::new(uv, event_loop.cast(), self.engine.readiness_fd()?, self)
        });
        let is_inline = watch.is_some() && self.load.borrow_mut().count(0, 0, true);
        self.driver.borrow_mut().watch = watch;
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
        for mut batch in self.outbox.take() {
            self.deliver(&mut batch);
        }
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
        driver.thread = Some(IoThread::start(engine, outbox, Arc::clone(&self.wakeup))?);
        Ok(())
    }

    /// Changes the driver if the load asks for it. No thread to be had: the JS thread goes on.
    fn adapt(&self, sockets: usize) {
        let is_inline = self.is_inline();
        let can_inline = self.driver.borrow().watch.is_some();
        let compressed = self.compressed.take();
        if sockets + compressed == 0 || !can_inline {
            return;
        }
        let inline_suits = self.load.borrow_mut().count(sockets, compressed, is_inline);
        match (is_inline, inline_suits) {
            (true, false) if self.drive_by_thread().is_err() => self.drive_inline(),
            (false, true) => self.drive_inline(),
            _ => {}
        }
    }

    /// Whether the JS thread drives.
    pub(super) fn is_inline(&self) -> bool {
        self.is_inline.get()
    }

    /// Whether nothing may run any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Whether JavaScript runs because we called it.
    pub(super) fn set_dispatching(&self, dispatching: bool) {
        self.dispatching.set(dispatching);
        for bridge in self.bridges.borrow().iter() {
            bridge.show_dispatching(dispatching);
        }
    }

    /// Runs a turn, or delivers what the I/O thread's turns brought.
    pub(super) fn on_wake(&self) {
        if self.closed.get() {
            return;
        }
        if self.is_inline() {
            self.turn();
            return;
        }
        let batches = self.outbox.take();
        let sockets: usize = batches.iter().map(|batch| batch.chunks.len()).sum();
        let turns = batches.len().max(1);
        for mut batch in batches {
            self.deliver(&mut batch);
        }
        self.flush();
        self.adapt(sockets / turns);
    }

    fn turn(&self) {
        // A listener that runs the event loop itself would come here again.
        let Some(mut scratch) = self.begin_turn() else {
            return;
        };
        self.engine.poll();
        let Scratch {
            sources,
            batch,
            buffer,
        } = &mut scratch;
        self.engine.take_ready(sources);
        let count = sources.len();
        for source in sources.drain(..) {
            batch.clear();
            // A connection whose turn panics must not take the others along.
            guard(|| source.turn(buffer, batch));
            self.deliver(batch);
        }
        self.flush();
        *self.scratch.borrow_mut() = Some(scratch);
        self.end_turn();
        self.adapt(count);
    }

    /// Sources that become ready from here on wake us; those that did meanwhile, too.
    fn end_turn(&self) {
        self.wakeup.idle.store(true, Ordering::Release);
        if self.engine.has_urgent() {
            self.wakeup.send();
        }
    }

    fn begin_turn(&self) -> Option<Scratch> {
        if !self.wakeup.idle.swap(false, Ordering::AcqRel) {
            return None;
        }
        Some(self.scratch.borrow_mut().take().unwrap_or_default())
    }

    /// How bytes for `connection` are to be sent now; those not sent at once are with the next [`Environment::flush`].
    pub(super) fn gather(&self, connection: &Arc<Connection>) -> Gather {
        let is_first = connection.mark_gathered();
        if is_first {
            self.gathered.borrow_mut().push(Arc::clone(connection));
        }
        if !self.is_inline() {
            Gather::ForTurn
        } else if is_first && !self.dispatching.get() {
            Gather::No
        } else {
            Gather::Yes
        }
    }

    /// Counts a message that is compressed on its way out.
    pub(super) fn count_compressed(&self) {
        self.compressed.set(self.compressed.get() + 1);
    }

    /// Ends a tick of JavaScript: sends all that was gathered. A turn is followed by its own look at the load.
    pub(super) fn end_tick(&self) {
        self.flush();
        if self.compressed.get() > 0 && !self.dispatching.get() && self.is_inline() {
            self.adapt(0);
        }
    }

    /// Sends all that was gathered.
    pub(super) fn flush(&self) {
        let gathered = std::mem::take(&mut *self.gathered.borrow_mut());
        for connection in &gathered {
            connection.unmark_gathered();
            if self.is_inline() {
                connection.flush();
            } else {
                connection.proceed();
            }
        }
    }

    /// The same from the JS thread whoever drives: the process is about to end.
    pub(super) fn flush_here(&self) {
        for connection in std::mem::take(&mut *self.gathered.borrow_mut()) {
            connection.unmark_gathered();
            connection.flush_all();
        }
    }

    /// Counts something that keeps the event loop alive, or no longer does.
    pub(super) fn hold(&self, hold: bool) {
        let before = self.holds.get();
        let after = if hold {
            before + 1
        } else {
            before.saturating_sub(1)
        };
        self.holds.set(after);
        if (before == 0) != (after == 0) {
            self.wakeup.hold(self.env, after > 0);
        }
    }

    /// Adds a bridge made by `make` from its index.
    pub(super) fn add_bridge(
        &self,
        make: impl FnOnce(u32) -> Result<Rc<Bridge>>,
    ) -> Result<Rc<Bridge>> {
        let bridge = make(self.bridges.borrow().len() as u32)?;
        self.bridges.borrow_mut().push(Rc::clone(&bridge));
        Ok(bridge)
    }

    /// A copy of the library has been collected. In the end that is [`Environment::close`]'s.
    pub(super) fn forget_bridge(&self, index: u32) {
        if let Some(bridge) = self.bridge(index)
            && !self.closed.get()
            && !self.cleanup.get().is_null()
        {
            bridge.release();
        }
    }

    /// The bridge with this index.
    pub(super) fn bridge(&self, index: u32) -> Option<Rc<Bridge>> {
        self.bridges.borrow().get(index as usize).cloned()
    }

    /// Without libuv's handles all is closed when the hook returns: the plain kind will do, and it has to in Deno,
    /// which frees the other kind twice.
    fn add_cleanup(self: &Rc<Self>, has_handles: bool) -> Result<()> {
        let this = Rc::as_ptr(self).cast_mut().cast::<c_void>();
        let mut handle = ptr::null_mut();
        // SAFETY: the environment lives until `closed`, which runs in the hook or after it.
        check(unsafe {
            if has_handles {
                sys::napi_add_async_cleanup_hook(
                    self.env,
                    Some(on_async_cleanup),
                    this,
                    &mut handle,
                )
            } else {
                sys::napi_add_env_cleanup_hook(self.env, Some(on_cleanup), this)
            }
        })?;
        self.cleanup.set(handle);
        Ok(())
    }

    /// Stops all that could reach this environment, then has libuv close its handles. No JavaScript runs any more.
    fn close(self: &Rc<Self>) {
        self.closed.set(true);
        let Driver { watch, thread } = self.driver.take();
        let signal = self.wakeup.disconnect();
        if let Some(thread) = thread {
            thread.stop();
        }
        let watch = watch.map(Watch::into_handle);
        for bridge in self.bridges.borrow().iter() {
            bridge.abandon();
        }
        self.engine.close();
        // Deno, which has no libuv, aborts at this; there the references end with the environment.
        if !self.cleanup.get().is_null() {
            self.release();
        }
        let handles = [signal, watch];
        self.closing.set(handles.iter().flatten().count());
        if self.closing.get() == 0 {
            self.closed();
        }
        for (index, handle) in handles.into_iter().enumerate() {
            let Some((uv, handle)) = handle else { continue };
            let on_closed = if index == 0 {
                on_async_closed
            } else {
                on_poll_closed
            };
            // SAFETY: the handle is open and ours; it is closed once. Until then it keeps the environment.
            unsafe {
                uv::set_data(handle, Rc::into_raw(Rc::clone(self)));
                (uv.close)(handle, on_closed);
            }
        }
    }

    /// Lets go of what is JavaScript's.
    fn release(&self) {
        for bridge in self.bridges.borrow().iter() {
            bridge.release();
        }
        self.slabs.release(self.env);
        // SAFETY: the context is ours, and no event is delivered any more.
        unsafe { sys::napi_async_destroy(self.env, self.async_context) };
    }

    fn closed(&self) {
        let cleanup = self.cleanup.replace(ptr::null_mut());
        // One that could not be started is nobody's, and another one may have been by now.
        let is_this = |current: &mut Rc<Self>| ptr::eq(&**current, self);
        let this = CURRENT.try_with(|current| current.borrow_mut().take_if(is_this));
        if !cleanup.is_null() {
            // SAFETY: the handle is the one of `add_cleanup`, used once.
            unsafe { sys::napi_remove_async_cleanup_hook(cleanup) };
        }
        drop(this);
    }
}

unsafe extern "C" fn on_async_cleanup(_: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: as below.
    unsafe { on_cleanup(data) };
}

unsafe extern "C" fn on_cleanup(data: *mut c_void) {
    guard(|| {
        // SAFETY: the data is the environment, which `CURRENT` holds until `closed`.
        let environment = unsafe {
            Rc::increment_strong_count(data.cast::<Environment>());
            Rc::from_raw(data.cast::<Environment>())
        };
        environment.close();
    });
}

extern "C" fn on_async_closed(handle: uv::Handle) {
    on_closed(handle, uv::ASYNC);
}

extern "C" fn on_poll_closed(handle: uv::Handle) {
    on_closed(handle, uv::POLL);
}

fn on_closed(handle: uv::Handle, kind: i32) {
    guard(|| {
        // SAFETY: `close` had the handle keep the environment; libuv is done with the handle.
        let environment = unsafe { Rc::from_raw(uv::data::<Environment>(handle)) };
        if let Some(uv) = Uv::find() {
            // SAFETY: as above.
            unsafe { uv.free(handle, kind) };
        }
        environment.closing.set(environment.closing.get() - 1);
        if environment.closing.get() == 0 {
            environment.closed();
        }
    });
}

fn make_async_context(env: sys::napi_env) -> Result<sys::napi_async_context> {
    let mut context = ptr::null_mut();
    // SAFETY: `env` is the running call's; all values are live.
    unsafe {
        let name = made!(napi_create_string_utf8, env, c"oxws".as_ptr(), 4)?;
        let resource = made!(napi_create_object, env)?;
        check(sys::napi_async_init(env, resource, name, &mut context))?;
    }
    Ok(context)
}

/// What `OXWS_DRIVER` says. With one processor a thread would only take turns with the JS thread.
fn policy() -> Policy {
    match std::env::var("OXWS_DRIVER").as_deref() {
        Ok("inline") => Policy::Inline,
        Ok("thread") => Policy::Thread,
        Ok("alternate") => Policy::Alternate,
        _ if std::thread::available_parallelism().is_ok_and(|n| n.get() == 1) => Policy::Inline,
        _ => Policy::Adaptive,
    }
}
