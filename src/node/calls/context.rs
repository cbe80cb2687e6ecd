//! The async contexts of connections: listeners of its events run in the one that a connection has.
//!
//! An `AsyncResource` of JavaScript's within the context of our call would do the same. But Node.js then clears the list of
//! resources when our callback scope closes, which takes longer than all the rest of it.

use std::ptr;

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::node::raw::values::{check, napi_call, u32_of, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"createContext", entry!(create_context)),
    (c"runInContext", entry!(run_in_context)),
];

/// `createContext(id, resource, type)`: has the events of a connection delivered in an async context, made here, of this
/// resource, which somebody else keeps.
fn create_context(
    context: &CallContext,
    [id, resource, name]: [sys::napi_value; 3],
) -> sys::napi_value {
    let env = context.env();
    // What fails leaves an exception of N-API's, or the connection in the context of all.
    let _ = context.bridge.set_context(u32_of(env, id), || {
        // SAFETY: the values are arguments of the running call.
        unsafe { napi_call!(napi_async_init, env, resource, name) }
    });
    undefined(env)
}

/// `runInContext(id, callback)`: calls back in the async context of a connection.
fn run_in_context(context: &CallContext, [id, callback]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    let nothing = undefined(env);
    let async_context = context.bridge.context(u32_of(env, id));
    let mut scope = ptr::null_mut();
    // SAFETY: the values are arguments of the running call; the scope is closed. An exception is the caller's.
    unsafe {
        let is_open = !async_context.is_null()
            && check(sys::napi_open_callback_scope(
                env,
                nothing,
                async_context,
                &mut scope,
            ))
            .is_ok();
        let result = ptr::null_mut();
        sys::napi_call_function(env, nothing, callback, 0, ptr::null(), result);
        if is_open {
            sys::napi_close_callback_scope(env, scope);
        }
    }
    nothing
}
