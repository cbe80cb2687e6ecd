//! The calls of `oxws/extra`.

use std::ffi::CStr;

use napi::sys;

use super::messages::{with_bridge, with_connection};
use crate::node::raw::values::{Entry as RawEntry, number, u32_of, undefined};

/// Functions of a bridge object.
pub(crate) const ENTRIES: &[(&CStr, RawEntry)] = &[
    (c"backlog", backlog),
    (c"notifyLow", notify_low),
    (c"checkAlive", check_alive),
];

/// `backlog(id)`: bytes the kernel does not have, without a try to write.
unsafe extern "C" fn backlog(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: called by N-API, as an entry of a bridge.
    unsafe { with_connection(env, info, |_, connection| connection.pending() as f64) }
}

/// `notifyLow(id, mark)`: has the `low` event sent once the kernel has all but `mark` bytes.
unsafe extern "C" fn notify_low(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: called by N-API, as an entry of a bridge.
    unsafe {
        with_bridge(env, info, |bridge, [id, mark]| {
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                connection.notify_low(u32_of(env, mark) as usize);
            }
            undefined(env)
        })
    }
}

/// `checkAlive(id, now, silence, patience)`: see [`crate::engine::Connection::check_alive`].
unsafe extern "C" fn check_alive(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: called by N-API, as an entry of a bridge.
    unsafe {
        with_bridge(env, info, |bridge, [id, now, silence, patience]| {
            let verdict = bridge.connection(u32_of(env, id)).map_or(0, |connection| {
                let [now, silence, patience] =
                    [now, silence, patience].map(|value| u32_of(env, value));
                connection.check_alive(now, silence, patience) as u32
            });
            number(env, f64::from(verdict))
        })
    }
}
