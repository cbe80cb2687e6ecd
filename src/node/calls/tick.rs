//! The calls of an environment's ticks.

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::node::raw::values::undefined;

pub(super) const ENTRIES: Entries = &[
    (c"flush", entry!(flush)),
    (c"leave", entry!(leave)),
    (c"raise", entry!(raise)),
];

/// `flush()`: writes what was sent in this tick.
fn flush(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    context.environment().end_tick();
    undefined(context.env())
}

/// `leave()`: the process exits. All that was sent is written, and what is sent from here on at once.
fn leave(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    context.environment().leave();
    undefined(context.env())
}

/// `raise(error)`: an uncaught exception, without leaving the running call.
fn raise(context: &CallContext, [error]: [sys::napi_value; 1]) -> sys::napi_value {
    // SAFETY: this is the environment's thread, and `error` is an argument of the running call.
    unsafe { sys::napi_fatal_exception(context.env(), error) };
    undefined(context.env())
}
