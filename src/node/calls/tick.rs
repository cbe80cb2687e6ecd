//! The calls of an environment's ticks, and of its rounds.

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::node::environment::Environment;
use crate::node::raw::values::{number, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"awaitClosing", entry!(await_closing)),
    (c"awaitRound", entry!(await_round)),
    (c"flush", entry!(flush)),
    (c"isInline", entry!(is_inline)),
    (c"leave", entry!(leave)),
    (c"raise", entry!(raise)),
];

/// `awaitClosing()`: a task that is over when libuv tells of what is closed by now. Answers with its id, or -1 without libuv.
fn await_closing(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    let environment = Environment::existing();
    let id = environment.and_then(|it| it.await_closing(&context.bridge));
    number(context.env(), id.map_or(-1.0, f64::from))
}

/// `awaitRound()`: a task that is over when the event loop goes round next. Answers with its id, or -1 without libuv.
fn await_round(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    let id = context.environment().await_round(&context.bridge);
    number(context.env(), id.map_or(-1.0, f64::from))
}

/// `flush()`: writes what was sent in this tick.
fn flush(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    context.environment().end_tick();
    undefined(context.env())
}

/// `isInline()`: 1 if the JS thread polls.
fn is_inline(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    let is_inline = context.environment().sends().is_inline();
    number(context.env(), f64::from(u8::from(is_inline)))
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
