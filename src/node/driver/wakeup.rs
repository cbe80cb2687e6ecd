//! How other threads, and the JS thread itself, have the JS thread run [`Environment::on_wake`] or
//! [`Environment::on_item`].

use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::{Error, Result, sys};

use crate::engine::sync::lock;
use crate::node::environment::Environment;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv::{self, Uv};
use crate::node::raw::values::{check, make_resource};

/// What an item of a thread-safe function calls.
type CallJs = unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void);

/// What is signalled.
enum Signal {
    /// Closed: nobody is there to wake.
    None,
    /// libuv's `uv_async_t`.
    Async(Uv, uv::Handle),
    /// N-API's thread-safe functions, for hosts without libuv: one to wake, and one to do so later.
    Functions(sys::napi_threadsafe_function, sys::napi_threadsafe_function),
}

// SAFETY: `uv_async_send` and `napi_call_threadsafe_function` may be called from any thread; the lock around the
// signal keeps them from running while, or after, it is closed.
unsafe impl Send for Signal {}

/// Wakes one JavaScript environment.
pub(crate) struct Wakeup {
    signal: Mutex<Signal>,
    /// The JS thread drives and is not in a turn: sources that become ready must wake it.
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

    /// Has the JS thread woken. It does not keep the loop alive until [`Wakeup::hold`].
    pub(crate) fn connect(
        &self,
        uv: Option<Uv>,
        env: sys::napi_env,
        environment: *const Environment,
    ) -> Result<()> {
        let signal = match uv {
            Some(uv) => make_async(uv, env, environment)?,
            None => {
                // The later one first: see [`Wakeup::send_later`].
                let later = make_function(env, environment, on_later)?;
                Signal::Functions(make_function(env, environment, on_item)?, later)
            }
        };
        *lock(&self.signal) = signal;
        Ok(())
    }

    fn with_signal<T>(&self, work: impl FnOnce(&Signal) -> T) -> T {
        work(&lock(&self.signal))
    }

    /// Has the JS thread run a turn soon.
    pub(crate) fn send(&self) {
        self.with_signal(|signal| match signal {
            Signal::None => {}
            // SAFETY: the handle is open as long as it is in the signal.
            Signal::Async(uv, handle) => unsafe {
                (uv.async_send)(*handle);
            },
            Signal::Functions(wake, _) => {
                if !self.queued.swap(true, Ordering::AcqRel) {
                    call(*wake);
                }
            }
        });
    }

    /// An item has more to do: another one follows at once.
    pub(crate) fn go_on(&self) {
        self.with_signal(|signal| {
            if let Signal::Functions(wake, _) = signal {
                call(*wake);
            }
        });
    }

    /// An item has no more to do: what is sent from here on needs another one.
    pub(crate) fn mark_idle(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// The same as [`Wakeup::send`] from an item, but the event loop has its turn first. Node.js runs what an item
    /// queues at once, before timers; but functions take turns in the order they were made, so that what the later one
    /// has queued meanwhile is not looked at before the next round.
    pub(crate) fn send_later(&self) {
        self.with_signal(|signal| {
            if let Signal::Functions(_, later) = signal
                && !self.queued.swap(true, Ordering::AcqRel)
            {
                call(*later);
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
            // SAFETY: the handle is open, and this is its loop's thread.
            Signal::Async(uv, handle) => unsafe {
                let set = if is_ref {
                    uv.ref_handle
                } else {
                    uv.unref_handle
                };
                set(*handle);
            },
            // SAFETY: as above.
            Signal::Functions(wake, _) => unsafe {
                if is_ref {
                    sys::napi_ref_threadsafe_function(env, *wake);
                } else {
                    sys::napi_unref_threadsafe_function(env, *wake);
                }
            },
        });
    }

    /// Takes the signal away from all senders and begins to close it. Returns the handle libuv still has to close.
    pub(crate) fn disconnect(&self) -> Option<(Uv, uv::Handle)> {
        let mut signal = lock(&self.signal);
        match std::mem::replace(&mut *signal, Signal::None) {
            Signal::None => None,
            Signal::Async(uv, handle) => Some((uv, handle)),
            Signal::Functions(wake, later) => {
                let mode = sys::ThreadsafeFunctionReleaseMode::abort;
                // SAFETY: the functions were ours and nobody can reach them any more.
                unsafe {
                    sys::napi_release_threadsafe_function(wake, mode);
                    sys::napi_release_threadsafe_function(later, mode);
                }
                None
            }
        }
    }
}

fn make_async(uv: Uv, env: sys::napi_env, environment: *const Environment) -> Result<Signal> {
    let mut event_loop = ptr::null_mut();
    // SAFETY: `env` is the running call's.
    check(unsafe { sys::napi_get_uv_event_loop(env, &mut event_loop) })?;
    let handle = uv.allocate(uv::ASYNC);
    // SAFETY: the handle has room for a `uv_async_t`; the environment outlives it (see `Environment::close`).
    unsafe {
        if (uv.async_init)(event_loop.cast(), handle, on_async) != 0 {
            uv.free(handle, uv::ASYNC);
            return Err(Error::from_reason("uv_async_init failed"));
        }
        uv::set_data(handle, environment);
        (uv.unref_handle)(handle);
    }
    Ok(Signal::Async(uv, handle))
}

extern "C" fn on_async(handle: uv::Handle) {
    catch_panic(|| {
        // SAFETY: the data is the environment that made the handle; it lives until the handle is closed.
        unsafe { (*uv::data::<Environment>(handle)).on_wake() };
    });
}

/// Queues an item. The function must be one of a signal.
fn call(function: sys::napi_threadsafe_function) {
    let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
    // SAFETY: it is open as long as it is in the signal.
    unsafe { sys::napi_call_threadsafe_function(function, ptr::null_mut(), mode) };
}

fn make_function(
    env: sys::napi_env,
    environment: *const Environment,
    on_item: CallJs,
) -> Result<sys::napi_threadsafe_function> {
    let mut name = ptr::null_mut();
    let mut function = ptr::null_mut();
    // SAFETY: all pointers are valid for these calls; the environment outlives the function.
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
            environment.cast_mut().cast(),
            Some(on_item),
            &mut function,
        ))?;
        sys::napi_unref_threadsafe_function(env, function);
    }
    Ok(function)
}

unsafe extern "C" fn on_item(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // N-API calls with a null environment when the queue is thrown away.
    if !env.is_null() {
        // SAFETY: the context is the environment that made the function.
        catch_panic(|| unsafe { (*context.cast::<Environment>()).on_item() });
    }
}

unsafe extern "C" fn on_later(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    if !env.is_null() {
        // SAFETY: as above.
        catch_panic(|| unsafe { (*context.cast::<Environment>()).wakeup.go_on() });
    }
}
