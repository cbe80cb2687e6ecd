//! The async context of our calls of JavaScript.

use std::cell::Cell;
use std::ptr;

use napi::{Result, sys};

use crate::node::raw::values::{check, make_resource, napi_call};

/// That of an environment: none of our calls is inside somebody else's context.
pub(crate) struct AsyncContext {
    env: sys::napi_env,
    /// Null until it is made.
    raw: Cell<sys::napi_async_context>,
}

impl AsyncContext {
    /// Not made yet. It is made where no JavaScript runs, and not when the library is loaded: it would be a child of the
    /// context that the program loads it in.
    pub(crate) fn new(env: sys::napi_env) -> Self {
        Self {
            env,
            raw: Cell::new(ptr::null_mut()),
        }
    }

    /// Makes it if need be. Must be called inside a handle scope.
    pub(crate) fn get(&self) -> Result<sys::napi_async_context> {
        if self.raw.get().is_null() {
            self.raw.set(make(self.env)?);
        }
        Ok(self.raw.get())
    }

    /// Makes it early: what is delivered first may come while a listener runs the event loop itself.
    pub(crate) fn prepare(&self) {
        let mut handles = ptr::null_mut();
        // SAFETY: the JS thread is between two callbacks; the scope is closed.
        unsafe {
            if self.raw.get().is_null()
                && sys::napi_open_handle_scope(self.env, &mut handles) == sys::Status::napi_ok
            {
                // If it cannot be made now, the first delivery tries again.
                let _ = self.get();
                sys::napi_close_handle_scope(self.env, handles);
            }
        }
    }

    /// Lets go of it: nothing is delivered any more.
    pub(crate) fn release(&self) {
        let context = self.raw.replace(ptr::null_mut());
        if !context.is_null() {
            // SAFETY: the context is ours, and used no more.
            unsafe { sys::napi_async_destroy(self.env, context) };
        }
    }
}

fn make(env: sys::napi_env) -> Result<sys::napi_async_context> {
    let mut context = ptr::null_mut();
    // SAFETY: `env` is the running call's; all values are live.
    unsafe {
        let name = napi_call!(napi_create_string_utf8, env, c"oxws".as_ptr(), 4)?;
        let resource = make_resource(env)?;
        check(sys::napi_async_init(env, resource, name, &mut context))?;
    }
    Ok(context)
}
