//! What one JavaScript environment (the main thread, a worker) has: an engine, a driver, bridges.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use napi::{Error, Result, sys};

use crate::engine::{Batch, Connection, Engine, Pollable};
use crate::node::bridge::Bridge;
use crate::node::bridge::queue::{Queue, SharedBatch};
use crate::node::bridge::slab::Slabs;
use crate::node::driver::backlog::Gathered;
use crate::node::driver::io_thread::{IoThread, Outbox, Prepare, Watch};
use crate::node::driver::policy::{Load, Policy};
use crate::node::driver::wakeup::Wakeup;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::{self, Uv};
use crate::node::raw::values::{check, make_resource, napi_call};
use crate::node::raw::words::Words;

thread_local! {
    /// One a thread: Node runs one environment on each.
    static CURRENT: RefCell<Option<Rc<Environment>>> = const { RefCell::new(None) };
}

/// Who turns the engine. With a watch the JS thread can; with a thread, that one does.
#[derive(Default)]
pub(super) struct Driver {
    pub(super) watch: Option<Watch>,
    pub(super) prepare: Option<Prepare>,
    pub(super) thread: Option<IoThread>,
}

/// The state of one environment. JS thread only, but for what is in an `Arc`.
pub(super) struct Environment {
    pub(super) env: sys::napi_env,
    pub(super) engine: Arc<Engine>,
    /// What our calls of JavaScript are, none of them inside somebody's context. Null until the first one.
    async_context: Cell<sys::napi_async_context>,
    pub(super) slabs: Slabs,
    /// What all copies of the library see: the first word is 1 while we call JavaScript.
    pub(super) state: Words,
    /// Where strings are read to on their way out.
    pub(super) text: RefCell<Vec<u8>>,
    /// What bytes mean that JavaScript carries.
    pub(super) fed: RefCell<Batch>,
    pub(super) wakeup: Arc<Wakeup>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) queue: RefCell<Queue>,
    /// Those that the JS thread has still to give a turn.
    pub(super) sources: RefCell<VecDeque<Pollable>>,
    /// What its turns are gathered in, while it is not in use.
    pub(super) spare: Cell<Option<SharedBatch>>,
    pub(super) driver: RefCell<Driver>,
    pub(super) is_inline: Cell<bool>,
    pub(super) load: RefCell<Load>,
    pub(super) closed: Cell<bool>,
    bridges: RefCell<Vec<Rc<Bridge>>>,
    /// Connections that were sent to in this tick or dispatch.
    pub(super) gathered: Arc<Gathered>,
    /// Sends of this tick, outside of a dispatch, that were not gathered.
    pub(super) sent_at_once: Cell<u32>,
    /// The process exits: nothing is gathered any more, and until then it may wait for what is being compressed.
    pub(super) leaving: Cell<Option<Instant>>,
    pub(super) dispatching: Cell<bool>,
    /// Messages to compress that were sent since the load was last looked at.
    pub(super) compressed: Cell<usize>,
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
            async_context: Cell::new(ptr::null_mut()),
            slabs: Slabs::default(),
            state: Words::new(env, 1)?,
            text: RefCell::default(),
            fed: RefCell::default(),
            wakeup,
            outbox: Arc::default(),
            queue: RefCell::default(),
            sources: RefCell::default(),
            spare: Cell::default(),
            driver: RefCell::default(),
            is_inline: Cell::new(false),
            load: RefCell::new(Load::new(policy())),
            closed: Cell::new(false),
            bridges: RefCell::default(),
            gathered: Gathered::new(),
            sent_at_once: Cell::new(0),
            leaving: Cell::new(None),
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

    /// All connections that JavaScript knows.
    pub(super) fn connections(&self) -> Vec<Arc<Connection>> {
        let bridges = self.bridges.borrow();
        bridges
            .iter()
            .flat_map(|bridge| bridge.connections())
            .collect()
    }

    /// Whether nothing may run any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Whether JavaScript runs because we called it.
    pub(super) fn set_dispatching(&self, dispatching: bool) {
        self.dispatching.set(dispatching);
        self.state.set(0, [u32::from(dispatching)]);
    }

    /// The async context of our calls. It is made where no JavaScript runs, and not when the library is loaded, as it would
    /// be that of whoever does it. Must be called inside a handle scope.
    pub(super) fn async_context(&self) -> Result<sys::napi_async_context> {
        if self.async_context.get().is_null() {
            self.async_context.set(make_async_context(self.env)?);
        }
        Ok(self.async_context.get())
    }

    /// Makes it early: what is delivered first may come while a listener runs the event loop itself.
    pub(super) fn prepare_async_context(&self) {
        let mut handles = ptr::null_mut();
        // SAFETY: the JS thread is between two callbacks; the scope is closed.
        unsafe {
            if self.async_context.get().is_null()
                && sys::napi_open_handle_scope(self.env, &mut handles) == sys::Status::napi_ok
            {
                // If it cannot be made now, the first delivery tries again.
                let _ = self.async_context();
                sys::napi_close_handle_scope(self.env, handles);
            }
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
            self.wakeup.set_ref(self.env, after > 0);
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
        let Driver {
            watch,
            prepare,
            thread,
        } = self.driver.take();
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
        let handles: [(_, uv::CloseCallback); 3] = [
            (signal, on_async_closed),
            (watch, on_poll_closed),
            (prepare.map(Prepare::into_handle), on_prepare_closed),
        ];
        let count = handles
            .iter()
            .filter(|(handle, _)| handle.is_some())
            .count();
        self.closing.set(count);
        if count == 0 {
            self.closed();
        }
        for (handle, on_closed) in handles {
            let Some((uv, handle)) = handle else { continue };
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
        self.state.release(self.env);
        let context = self.async_context.replace(ptr::null_mut());
        if !context.is_null() {
            // SAFETY: the context is ours, and no event is delivered any more.
            unsafe { sys::napi_async_destroy(self.env, context) };
        }
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
    catch_panic(|| {
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

extern "C" fn on_prepare_closed(handle: uv::Handle) {
    on_closed(handle, uv::PREPARE);
}

fn on_closed(handle: uv::Handle, kind: i32) {
    catch_panic(|| {
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
        let name = napi_call!(napi_create_string_utf8, env, c"oxws".as_ptr(), 4)?;
        let resource = make_resource(env)?;
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
