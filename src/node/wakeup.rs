//! How other threads, and the JS thread itself, have the JS thread run [`Environment::on_wake`] or
//! [`Environment::on_item`].

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use napi::{Error, Result, sys};

use super::environment::Environment;
use super::guard::guard;
use super::uv::{self, Uv};
use super::values::check;

/// What is signalled.
enum Signal {
    /// Closed: nobody is there to wake.
    None,
    /// libuv's `uv_async_t`.
    Async(Uv, uv::Handle),
    /// N-API's thread-safe function, for hosts without libuv.
    Function(sys::napi_threadsafe_function),
}

// SAFETY: `uv_async_send` and `napi_call_threadsafe_function` may be called from any thread; the lock around the
// signal keeps them from running while, or after, it is closed.
unsafe impl Send for Signal {}

/// Wakes one JavaScript environment.
pub(super) struct Wakeup {
    signal: Mutex<Signal>,
    /// The JS thread drives and is not in a turn: sources that become ready must wake it.
    pub(super) idle: AtomicBool,
    /// The thread-safe function has an item queued: one is enough. libuv sees to that itself.
    queued: AtomicBool,
}

impl Wakeup {
    /// Not connected yet.
    pub(super) fn new() -> Self {
        Self {
            signal: Mutex::new(Signal::None),
            idle: AtomicBool::new(false),
            queued: AtomicBool::new(false),
        }
    }

    /// Has the JS thread woken. It does not keep the loop alive until [`Wakeup::hold`].
    pub(super) fn connect(
        &self,
        uv: Option<Uv>,
        env: sys::napi_env,
        environment: *const Environment,
    ) -> Result<()> {
        let signal = match uv {
            Some(uv) => make_async(uv, env, environment)?,
            None => make_function(env, environment)?,
        };
        *self.signal.lock().unwrap_or_else(PoisonError::into_inner) = signal;
        Ok(())
    }

    fn with_signal<T>(&self, work: impl FnOnce(&Signal) -> T) -> T {
        work(&self.signal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the JS thread run a turn soon.
    pub(super) fn send(&self) {
        self.with_signal(|signal| match signal {
            Signal::None => {}
            // SAFETY: the handle is open as long as it is in the signal.
            Signal::Async(uv, handle) => unsafe {
                (uv.async_send)(*handle);
            },
            Signal::Function(function) => {
                if !self.queued.swap(true, Ordering::AcqRel) {
                    let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
                    // SAFETY: as above.
                    unsafe { sys::napi_call_threadsafe_function(*function, ptr::null_mut(), mode) };
                }
            }
        });
    }

    /// An item of the thread-safe function runs: what is sent from here on needs another one.
    pub(super) fn begin_item(&self) {
        self.queued.swap(false, Ordering::AcqRel);
    }

    /// The same from the engine: only when nobody is going to look anyway.
    pub(super) fn send_if_idle(&self) {
        if self.idle.load(Ordering::Acquire) {
            self.send();
        }
    }

    /// Keeps the event loop alive, or lets it end. JS thread only.
    pub(super) fn hold(&self, env: sys::napi_env, hold: bool) {
        self.with_signal(|signal| match signal {
            Signal::None => {}
            // SAFETY: the handle is open, and this is its loop's thread.
            Signal::Async(uv, handle) => unsafe {
                let set = if hold { uv.hold } else { uv.release };
                set(*handle);
            },
            // SAFETY: as above.
            Signal::Function(function) => unsafe {
                if hold {
                    sys::napi_ref_threadsafe_function(env, *function);
                } else {
                    sys::napi_unref_threadsafe_function(env, *function);
                }
            },
        });
    }

    /// Takes the signal away from all senders and begins to close it. Returns the handle libuv still has to close.
    pub(super) fn disconnect(&self) -> Option<(Uv, uv::Handle)> {
        let mut signal = self.signal.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *signal, Signal::None) {
            Signal::None => None,
            Signal::Async(uv, handle) => Some((uv, handle)),
            Signal::Function(function) => {
                let mode = sys::ThreadsafeFunctionReleaseMode::abort;
                // SAFETY: the function was ours and nobody can reach it any more.
                unsafe { sys::napi_release_threadsafe_function(function, mode) };
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
        (uv.release)(handle);
    }
    Ok(Signal::Async(uv, handle))
}

extern "C" fn on_async(handle: uv::Handle) {
    guard(|| {
        // SAFETY: the data is the environment that made the handle; it lives until the handle is closed.
        unsafe { (*uv::data::<Environment>(handle)).on_wake() };
    });
}

fn make_function(env: sys::napi_env, environment: *const Environment) -> Result<Signal> {
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
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            environment.cast_mut().cast(),
            Some(on_function),
            &mut function,
        ))?;
        sys::napi_unref_threadsafe_function(env, function);
    }
    Ok(Signal::Function(function))
}

unsafe extern "C" fn on_function(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // N-API calls with a null environment when the queue is thrown away.
    if !env.is_null() {
        // SAFETY: the context is the environment that made the function.
        guard(|| unsafe { (*context.cast::<Environment>()).on_item() });
    }
}
