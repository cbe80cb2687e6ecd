//! The async contexts of connections: listeners of its events run in the one that a connection has.
//!
//! An `AsyncResource` of JavaScript's within the context of our call would do the same. But Node.js then clears the list of
//! resources when our callback scope closes, which takes longer than all the rest of it.

use std::ffi::CStr;
use std::ptr;

use napi::sys;

use crate::node::calls::messages::with_bridge;
use crate::node::raw::values::{Entry, check, napi_call, u32_of, undefined};

/// Functions of a bridge object.
pub(crate) const ENTRIES: &[(&CStr, Entry)] = &[
    (c"createContext", create_context),
    (c"runInContext", run_in_context),
];

/// `createContext(id, resource, type)`: has the events of a connection delivered in an async context, made here, of this
/// resource, which somebody else keeps.
unsafe extern "C" fn create_context(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, resource, name]| {
            // What fails leaves an exception of N-API's, or the connection in the context of all.
            let _ = bridge.set_context(u32_of(env, id), || {
                // SAFETY: the values are live.
                napi_call!(napi_async_init, env, resource, name)
            });
            undefined(env)
        })
    }
}

/// `runInContext(id, callback)`: calls back in the async context of a connection.
unsafe extern "C" fn run_in_context(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, callback]| {
            let nothing = undefined(env);
            let context = bridge.context(u32_of(env, id));
            let mut scope = ptr::null_mut();
            // SAFETY: the values are live; the scope is closed. An exception is the caller's.
            let is_open = !context.is_null()
                && check(sys::napi_open_callback_scope(
                    env, nothing, context, &mut scope,
                ))
                .is_ok();
            let result = ptr::null_mut();
            sys::napi_call_function(env, nothing, callback, 0, ptr::null(), result);
            if is_open {
                sys::napi_close_callback_scope(env, scope);
            }
            nothing
        })
    }
}
