//! How other threads, and the JS thread itself, have the JS thread look.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use napi::{Error, Result, sys};

use crate::engine::sync::lock;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::{self, Uv};
use crate::node::raw::uv_handle::{self, Callback, UvHandle};
use crate::node::raw::values::{check, make_resource};

/// What is signalled.
enum Signal {
    /// Closed: nobody is there to wake.
    None,
    /// libuv's `uv_async_t`.
    Async(UvHandle),
    /// N-API's thread-safe functions, for hosts without libuv: one to wake, and one to do so later.
    Functions(Function, Function),
}

/// A thread-safe function, and what an item of it calls.
struct Function {
    raw: sys::napi_threadsafe_function,
    /// Where the function's context points to.
    _on_item: Box<Callback>,
}

// SAFETY: the callbacks are called, and dropped, on the JS thread only; `uv_async_send` and `napi_call_threadsafe_function` may be called from any thread; the lock around the
// signal keeps them from running while, or after, it is closed.
unsafe impl Send for Signal {}

/// Wakes one JavaScript environment.
pub(crate) struct Wakeup {
    signal: Mutex<Signal>,
    /// The JS thread drives, and polls nothing just now: a pollable that becomes ready must wake it.
    pub(crate) idle: AtomicBool,
    /// An item of the thread-safe functions is queued, or what it began goes on. libuv sees to that itself.
    queued: AtomicBool,
}

impl Wakeup {
    /// Not connected yet.
    pub(crate) fn new() -> Self {
        Self {
            signal: Mutex::new(Signal::None),
            idle: AtomicBool::new(false),
            queued: AtomicBool::new(false),
        }
    }

    /// Has the JS thread woken: with libuv it calls `on_wake`, without `on_item`, in an item of a thread-safe function.
    /// That does not keep the loop alive until [`Wakeup::set_ref`].
    pub(crate) fn connect(
        self: &Arc<Self>,
        uv: Option<Uv>,
        env: sys::napi_env,
        on_wake: Callback,
        on_item: Callback,
    ) -> Result<()> {
        let signal = match uv {
            Some(uv) => Signal::Async(make_async(uv, env, on_wake)?),
            None => {
                let this = Arc::downgrade(self);
                let on_later = move || {
                    if let Some(wakeup) = this.upgrade() {
                        wakeup.go_on();
                    }
                };
                // The later one first: see [`Wakeup::send_later`].
                let later = Function::new(env, Rc::new(on_later))?;
                Signal::Functions(Function::new(env, on_item)?, later)
            }
        };
        *lock(&self.signal) = signal;
        Ok(())
    }

    fn with_signal<T>(&self, work: impl FnOnce(&Signal) -> T) -> T {
        work(&lock(&self.signal))
    }

    /// Has the JS thread look soon for what is ready or to be delivered.
    pub(crate) fn send(&self) {
        self.with_signal(|signal| match signal {
            Signal::None => {}
            Signal::Async(handle) => {
                let (uv, handle) = handle.parts();
                // SAFETY: the handle is an open `uv_async_t`, and stays so under the lock of the signal.
                unsafe { (uv.async_send)(handle) };
            }
            Signal::Functions(wake, _) => {
                if !self.queued.swap(true, Ordering::AcqRel) {
                    wake.call();
                }
            }
        });
    }

    /// An item has more to do: another one follows at once.
    pub(crate) fn go_on(&self) {
        self.with_signal(|signal| {
            if let Signal::Functions(wake, _) = signal {
                wake.call();
            }
        });
    }

    /// An item has no more to do: what is sent from here on needs another one.
    pub(crate) fn mark_idle(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// The same as [`Wakeup::send`] from an item, but the event loop goes round once in between. Node.js runs what an item
    /// queues at once, before timers; but it goes through the functions in the order they were made, so that what the
    /// later one has queued meanwhile comes in the next round.
    pub(crate) fn send_later(&self) {
        self.with_signal(|signal| {
            if let Signal::Functions(_, later) = signal
                && !self.queued.swap(true, Ordering::AcqRel)
            {
                later.call();
            }
        });
    }

    /// The same from the engine: only when nobody is going to look anyway.
    pub(crate) fn send_if_idle(&self) {
        if self.idle.load(Ordering::Acquire) {
            self.send();
        }
    }

    /// Keeps the event loop alive, or lets it end. JS thread only.
    pub(crate) fn set_ref(&self, env: sys::napi_env, is_ref: bool) {
        self.with_signal(|signal| match signal {
            Signal::None => {}
            Signal::Async(handle) => {
                let (uv, handle) = handle.parts();
                let set = if is_ref {
                    uv.ref_handle
                } else {
                    uv.unref_handle
                };
                // SAFETY: the handle is open, and this is its loop's thread.
                unsafe { set(handle) };
            }
            // SAFETY: the function is open as long as it is in the signal, and this is its environment's thread.
            Signal::Functions(wake, _) => unsafe {
                if is_ref {
                    sys::napi_ref_threadsafe_function(env, wake.raw);
                } else {
                    sys::napi_unref_threadsafe_function(env, wake.raw);
                }
            },
        });
    }

    /// Takes the signal away from all senders and begins to close it. Returns the handle libuv still has to close. JS
    /// thread only.
    pub(crate) fn disconnect(&self) -> Option<UvHandle> {
        match std::mem::replace(&mut *lock(&self.signal), Signal::None) {
            Signal::None => None,
            Signal::Async(handle) => Some(handle),
            Signal::Functions(wake, later) => {
                wake.release();
                later.release();
                None
            }
        }
    }
}

fn make_async(uv: Uv, env: sys::napi_env, on_wake: Callback) -> Result<UvHandle> {
    let mut event_loop = ptr::null_mut();
    // SAFETY: `env` is the running call's.
    check(unsafe { sys::napi_get_uv_event_loop(env, &mut event_loop) })?;
    // SAFETY: the memory is for a `uv_async_t`.
    let init = |handle| unsafe { (uv.async_init)(event_loop.cast(), handle, on_async) };
    UvHandle::new(uv, uv::ASYNC, on_wake, init)
        .ok_or_else(|| Error::from_reason("uv_async_init failed"))
}

extern "C" fn on_async(handle: uv::Handle) {
    uv_handle::call(handle);
}

impl Function {
    /// A function whose items call `on_item`. It does not keep the event loop alive.
    fn new(env: sys::napi_env, on_item: Callback) -> Result<Self> {
        let on_item = Box::new(on_item);
        let mut name = ptr::null_mut();
        let mut raw = ptr::null_mut();
        // SAFETY: all pointers are valid for these calls; the callback stays where it is until the function is released.
        unsafe {
            check(sys::napi_create_string_utf8(
                env,
                c"oxws".as_ptr(),
                4,
                &mut name,
            ))?;
            check(sys::napi_create_threadsafe_function(
                env,
                ptr::null_mut(),
                make_resource(env)?,
                name,
                0,
                1,
                ptr::null_mut(),
                None,
                (&raw const *on_item).cast_mut().cast(),
                Some(call_item),
                &mut raw,
            ))?;
            sys::napi_unref_threadsafe_function(env, raw);
        }
        Ok(Self {
            raw,
            _on_item: on_item,
        })
    }

    /// Queues an item.
    fn call(&self) {
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: the function is open until it is released.
        unsafe { sys::napi_call_threadsafe_function(self.raw, ptr::null_mut(), mode) };
    }

    /// No item is run any more.
    fn release(self) {
        let mode = sys::ThreadsafeFunctionReleaseMode::abort;
        // SAFETY: the function is ours, and nobody can reach it any more.
        unsafe { sys::napi_release_threadsafe_function(self.raw, mode) };
    }
}

unsafe extern "C" fn call_item(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // N-API calls with a null environment when the queue is thrown away.
    if !env.is_null() {
        catch_panic(|| {
            // SAFETY: the context is the callback of a function that is open: see `Function::new`.
            let on_item = unsafe { Rc::clone(&*context.cast::<Callback>()) };
            on_item();
        });
    }
}
