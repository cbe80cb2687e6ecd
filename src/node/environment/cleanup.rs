//! How an environment ends.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::{Result, sys};

use super::{CURRENT, Environment};
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::uv_handle::UvHandle;
use crate::node::raw::values::check;

/// What a thread has its environment in. It is dropped with one that is not closed when the process exits without having told
/// JavaScript: what was sent leaves.
pub(super) struct Current(pub(super) Option<Rc<Environment>>);

impl Drop for Current {
    fn drop(&mut self) {
        if let Some(environment) = self.0.take() {
            catch_panic(|| environment.leave());
        }
    }
}

/// What is left to do at the end.
pub(super) struct Cleanup {
    /// Null if the hook is a plain one.
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    /// Handles that libuv has still to close.
    closing: Cell<usize>,
}

impl Default for Cleanup {
    fn default() -> Self {
        Self {
            hook: Cell::new(ptr::null_mut()),
            closing: Cell::new(0),
        }
    }
}

impl Cleanup {
    /// Whether the hook may end after it has returned.
    pub(super) fn is_async(&self) -> bool {
        !self.hook.get().is_null()
    }
}

impl Environment {
    /// Without libuv's handles all is closed when the hook returns: the plain kind will do, and it has to in Deno,
    /// which frees the other kind twice.
    pub(super) fn add_cleanup(self: &Rc<Self>, has_handles: bool) -> Result<()> {
        let this = Rc::as_ptr(self).cast_mut().cast::<c_void>();
        let mut hook = ptr::null_mut();
        // SAFETY: `CURRENT` holds the environment until `closed`, which runs in the hook or after it.
        check(unsafe {
            if has_handles {
                sys::napi_add_async_cleanup_hook(self.env, Some(on_async_cleanup), this, &mut hook)
            } else {
                sys::napi_add_env_cleanup_hook(self.env, Some(on_cleanup), this)
            }
        })?;
        self.cleanup.hook.set(hook);
        Ok(())
    }

    /// Stops all that could reach this environment, then has libuv close its handles. No JavaScript runs any more.
    pub(super) fn close(self: &Rc<Self>) {
        self.is_closed.set(true);
        let watches = self.driver.stop_watching();
        let signal = self.wakeup.disconnect();
        self.driver.stop_thread();
        self.delivery.abandon();
        self.engine.close();
        // Deno, which has no libuv, aborts at this; there the references end with the environment.
        if self.cleanup.is_async() {
            self.delivery.release();
        }
        let handles: Vec<UvHandle> = signal.into_iter().chain(watches).collect();
        self.cleanup.closing.set(handles.len());
        if handles.is_empty() {
            self.closed();
        }
        for handle in handles {
            // The handle keeps the environment, whose engine has the descriptor that it may watch.
            let this = Rc::clone(self);
            handle.close(move || this.on_handle_closed());
        }
    }

    fn on_handle_closed(&self) {
        let left = self.cleanup.closing.get() - 1;
        self.cleanup.closing.set(left);
        if left == 0 {
            self.closed();
        }
    }

    fn closed(&self) {
        let hook = self.cleanup.hook.replace(ptr::null_mut());
        // One that could not be started is nobody's, and another one may have been by now.
        let is_this = |current: &mut Rc<Self>| ptr::eq(&**current, self);
        let this = CURRENT.try_with(|current| current.borrow_mut().0.take_if(is_this));
        if !hook.is_null() {
            // SAFETY: the hook is the one of `add_cleanup`, removed once.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }
        drop(this);
    }
}

unsafe extern "C" fn on_async_cleanup(_: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    // SAFETY: Node.js calls with the data of `add_cleanup`.
    unsafe { on_cleanup(data) };
}

unsafe extern "C" fn on_cleanup(data: *mut c_void) {
    catch_panic(|| {
        // SAFETY: the data is the environment of `add_cleanup`, which `CURRENT` holds until `closed`.
        let environment = unsafe {
            Rc::increment_strong_count(data.cast::<Environment>());
            Rc::from_raw(data.cast::<Environment>())
        };
        environment.close();
    });
}
