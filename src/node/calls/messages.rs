//! The calls of every message that the engine sends. Each gets its bridge as data.

use std::borrow::Cow;
use std::ffi::CStr;

use napi::sys;

use crate::engine::Connection;
use crate::node::bridge::Bridge;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::values::{
    Entry as RawEntry, append_string, arguments, bytes_of, is_string, number, throw_no_bytes,
    u32_of, undefined,
};
use crate::protocol::FrameFlags;

/// The functions of a bridge object.
pub(crate) const ENTRIES: &[(&CStr, RawEntry)] = &[
    (c"send", send),
    (c"write", write),
    (c"queued", queued),
    (c"written", written),
    (c"pending", pending),
    (c"flush", flush),
    (c"leave", leave),
    (c"raise", raise),
];

/// Runs `work` with the bridge and the arguments; `undefined` if it panics.
///
/// # Safety
/// Called with what an entry of a bridge got.
pub(crate) unsafe fn with_bridge<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: impl FnOnce(&Bridge, [sys::napi_value; N]) -> sys::napi_value,
) -> sys::napi_value {
    // SAFETY: the caller's promise.
    let (values, data) = unsafe { arguments::<N>(env, info) };
    // SAFETY: the data of these functions is their bridge, which outlives JavaScript.
    let bridge = unsafe { &*data.cast::<Bridge>() };
    catch_panic(|| work(bridge, values)).unwrap_or_else(|| undefined(env))
}

/// Gives `work` the bytes of a string or byte array; throws if the value is neither. A long string's are its own.
pub(crate) fn with_payload(
    bridge: &Bridge,
    value: sys::napi_value,
    work: impl FnOnce(Cow<'_, [u8]>),
) {
    let environment = bridge.environment();
    let env = environment.env;
    if is_string(env, value) {
        /// A scratch buffer above this is not kept.
        const KEPT: usize = 64 * 1024;
        let mut text = environment.text.take();
        text.clear();
        append_string(env, value, &mut text);
        if text.len() > KEPT {
            work(Cow::Owned(text));
        } else {
            work(Cow::Borrowed(&text));
            environment.text.replace(text);
        }
    } else if let Some(bytes) = unsafe {
        // SAFETY: no JavaScript runs in `work`.
        bytes_of(env, value)
    } {
        work(Cow::Borrowed(bytes));
    } else {
        throw_no_bytes(env);
    }
}

/// `send(id, data, flags, key)`: frames and sends.
unsafe extern "C" fn send(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, flags, key]| {
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                let flags = FrameFlags::from(u32_of(env, flags));
                let key = u32_of(env, key).to_le_bytes();
                let environment = bridge.environment();
                let flush =
                    environment.flush_for_bytes(&connection, flags.has(FrameFlags::COMPRESS));
                if flags.has(FrameFlags::COMPRESS) {
                    environment.count_compressed();
                }
                with_payload(bridge, data, |payload| {
                    connection.send(payload, flags, key, flush);
                });
                environment.sent(&connection);
            }
            undefined(env)
        })
    }
}

/// `write(id, data)`: sends bytes as they are.
unsafe extern "C" fn write(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data]| {
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                let environment = bridge.environment();
                let flush = environment.flush_for_bytes(&connection, false);
                with_payload(bridge, data, |bytes| {
                    connection.write(&bytes, flush);
                });
                environment.sent(&connection);
            }
            undefined(env)
        })
    }
}

/// Answers with a number of the connection; 0 if there is none.
///
/// # Safety
/// Called with what an entry got.
pub(crate) unsafe fn with_connection(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    ask: impl FnOnce(&Bridge, &std::sync::Arc<Connection>) -> f64,
) -> sys::napi_value {
    // SAFETY: the caller's promise.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            let connection = bridge.connection(u32_of(env, id));
            number(
                env,
                connection.map_or(0.0, |connection| ask(bridge, &connection)),
            )
        })
    }
}

/// `queued(id)`: the number of the last send or write.
unsafe extern "C" fn queued(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.sequence_number() as f64
        })
    }
}

/// `written(id, now)`: the number of the last send or write that is done, among those asked for; 0 if none is since the
/// last call. Before, what waits is written here, by thread only if `now` is 1.
unsafe extern "C" fn written(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, now]| {
            let written = bridge.connection(u32_of(env, id)).map_or(0, |connection| {
                if bridge.environment().is_inline() || u32_of(env, now) != 0 {
                    connection.flush();
                }
                connection.written()
            });
            number(env, written as f64)
        })
    }
}

/// `pending(id)`: bytes the kernel does not have, after a try to write.
unsafe extern "C" fn pending(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.flush_fully();
            connection.pending() as f64
        })
    }
}

/// `flush()`: sends what was gathered.
unsafe extern "C" fn flush(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, []| {
            bridge.environment().end_tick();
            undefined(env)
        })
    }
}

/// `leave()`: the process exits. All that was sent is written, and what is sent from here on at once.
unsafe extern "C" fn leave(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, []| {
            bridge.environment().leave();
            undefined(env)
        })
    }
}

/// `raise(error)`: an uncaught exception, without leaving the running call.
unsafe extern "C" fn raise(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry; the value is live.
    unsafe {
        let ([error], _) = arguments::<1>(env, info);
        sys::napi_fatal_exception(env, error);
    }
    undefined(env)
}
