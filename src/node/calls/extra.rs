//! The calls of `oxws/extra`.

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::node::raw::values::{u32_of, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"backlog", entry!(backlog)),
    (c"notifyLow", entry!(notify_low)),
    (c"checkAlive", entry!(check_alive)),
];

/// `backlog(id)`: bytes the kernel does not have, without a try to write.
fn backlog(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.pending() as f64)
}

/// `notifyLow(id, mark)`: has the `low` event sent once the kernel has all but `mark` bytes.
fn notify_low(context: &CallContext, [id, mark]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    if let Some(connection) = context.connection(id) {
        connection.notify_low(u32_of(env, mark) as usize);
    }
    undefined(env)
}

/// `checkAlive(id, now, silence, patience)`: see [`crate::engine::Connection::check_alive`].
fn check_alive(
    context: &CallContext,
    [id, now, silence, patience]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    context.number_of(id, |connection| {
        let [now, silence, patience] = [now, silence, patience].map(|value| u32_of(env, value));
        f64::from(connection.check_alive(now, silence, patience) as u32)
    })
}
