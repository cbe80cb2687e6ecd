//! The calls of every message. Each gets its bridge as data.

use std::borrow::Cow;
use std::ffi::CStr;

use napi::sys;

use super::bridge::Bridge;
use super::deliver::deliver_events;
use super::fed_endpoint::FedEndpoint;
use super::guard::guard;
use super::values::{
    Entry as RawEntry, append_string, arguments, bytes_of, is_string, number, u32_of, undefined,
};
use crate::engine::{Batch, Connection};
use crate::protocol::Bits;

/// The functions of a bridge object.
pub(super) const ENTRIES: &[(&CStr, RawEntry)] = &[
    (c"send", send),
    (c"write", write),
    (c"queued", queued),
    (c"written", written),
    (c"pending", pending),
    (c"flush", flush),
    (c"flushNow", flush_now),
    (c"frame", frame),
    (c"beginFrame", begin_frame),
    (c"finishFrame", finish_frame),
    (c"feed", feed),
    (c"finish", finish),
    (c"deferInflation", defer_inflation),
    (c"messageLength", message_length),
    (c"free", free),
    (c"raise", raise),
];

/// Runs `work` with the bridge and the arguments; `undefined` if it panics.
///
/// # Safety
/// Called with what an entry of [`ENTRIES`] got.
unsafe fn with_bridge<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: impl FnOnce(&Bridge, [sys::napi_value; N]) -> sys::napi_value,
) -> sys::napi_value {
    // SAFETY: the caller's promise.
    let (values, data) = unsafe { arguments::<N>(env, info) };
    // SAFETY: the data of these functions is their bridge, which outlives JavaScript.
    let bridge = unsafe { &*data.cast::<Bridge>() };
    guard(|| work(bridge, values)).unwrap_or_else(|| undefined(env))
}

/// Gives `work` the bytes of a string or byte array. A long string's are its own.
fn with_payload(bridge: &Bridge, value: sys::napi_value, work: impl FnOnce(Cow<'_, [u8]>)) {
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
    }
}

/// `send(id, data, bits, key)`: frames and sends.
unsafe extern "C" fn send(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, bits, key]| {
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                let bits = Bits::from(u32_of(env, bits));
                let key = u32_of(env, key).to_le_bytes();
                let environment = bridge.environment();
                let gather = environment.gather(&connection);
                if bits.has(Bits::COMPRESS) {
                    environment.count_compressed();
                }
                with_payload(bridge, data, |payload| {
                    connection.send(payload, bits, key, gather);
                });
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
                let gather = bridge.environment().gather(&connection);
                with_payload(bridge, data, |bytes| {
                    connection.write(&bytes, gather);
                });
            }
            undefined(env)
        })
    }
}

/// Answers with a number of the connection; 0 if there is none.
///
/// # Safety
/// Called with what an entry got.
unsafe fn with_connection(
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
    unsafe { with_connection(env, info, |_, connection| connection.ticket() as f64) }
}

/// `written(id)`: the number of the last send or write that is done, among those asked for, after a try to write.
unsafe extern "C" fn written(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |bridge, connection| {
            if bridge.environment().is_inline() {
                connection.flush();
            }
            connection.written() as f64
        })
    }
}

/// `pending(id)`: bytes the kernel does not have, after a try to write.
unsafe extern "C" fn pending(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.flush();
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

/// `flushNow()`: the same on this thread, before the process exits.
unsafe extern "C" fn flush_now(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, []| {
            bridge.environment().flush_here();
            undefined(env)
        })
    }
}

/// `frame(id, data, bits, key, room, offset)`: a frame of the endpoint `id`, for JavaScript to send. Where it fits into
/// `room` from `offset` on it is put there, and its length returned; it has a Buffer of its own otherwise.
unsafe extern "C" fn frame(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, bits, key, room, offset]| {
            let id = u32_of(env, id);
            let Some(mut fed) = bridge.take_endpoint(id) else {
                return undefined(env);
            };
            let bits = Bits::from(u32_of(env, bits));
            let key = u32_of(env, key).to_le_bytes();
            let mut out = Vec::new();
            with_payload(bridge, data, |payload| {
                fed.endpoint.frame(&mut out, &payload, bits, key);
            });
            bridge.put_endpoint(id, fed);
            // SAFETY: no JavaScript runs before the bytes are done with.
            let room = bytes_of(env, room)
                .and_then(|room| room.get_mut(u32_of(env, offset) as usize..))
                .and_then(|room| room.get_mut(..out.len()));
            if let Some(room) = room {
                room.copy_from_slice(&out);
                return number(env, out.len() as f64);
            }
            super::values::buffer(env, &out).unwrap_or_else(|_| undefined(env))
        })
    }
}

/// `beginFrame(id, data, bits, key)`: makes a compressed frame of the endpoint `id` elsewhere. Answers with the id of a
/// task; `undefined` if there is no such endpoint, or nothing to compress.
unsafe extern "C" fn begin_frame(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, bits, key]| {
            let id = u32_of(env, id);
            let bits = Bits::from(u32_of(env, bits));
            let key = u32_of(env, key).to_le_bytes();
            let mut task = None;
            if let Some(mut fed) = bridge.take_endpoint(id) {
                with_payload(bridge, data, |payload| {
                    task = fed.begin_frame(bridge, payload, bits, key);
                });
                bridge.put_endpoint(id, fed);
            }
            task.map_or_else(|| undefined(env), |task| number(env, f64::from(task)))
        })
    }
}

/// `finishFrame(id)`: the frame that the task made.
unsafe extern "C" fn finish_frame(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            let id = u32_of(env, id);
            let frame = bridge.take_endpoint(id).and_then(|mut fed| {
                let frame = fed.finish_frame();
                bridge.put_endpoint(id, fed);
                frame
            });
            frame
                .and_then(|frame| super::values::buffer(env, &frame).ok())
                .unwrap_or_else(|| undefined(env))
        })
    }
}

/// Has the endpoint `id` do `work`, tells what comes of it through the dispatch function, then answers with the id of
/// the task that must be over before the endpoint can go on, `undefined` if there is none.
fn with_endpoint(
    bridge: &Bridge,
    id: u32,
    work: impl FnOnce(&mut FedEndpoint, &mut Batch) -> Option<u32>,
) -> sys::napi_value {
    let env = bridge.environment().env;
    let Some(mut fed) = bridge.take_endpoint(id) else {
        return undefined(env);
    };
    let environment = bridge.environment();
    // A listener may feed another endpoint: that gets a batch of its own.
    let mut batch = environment.fed.take();
    let task = work(&mut fed, &mut batch);
    bridge.put_endpoint(id, fed);
    let (meta, events) = (&bridge.feed_meta, 0..batch.events.len());
    deliver_events(environment, bridge, meta, id, &mut batch, events);
    batch.clear();
    environment.fed.replace(batch);
    task.map_or_else(|| undefined(env), |task| number(env, f64::from(task)))
}

/// `feed(id, chunk)`: what the bytes mean for the endpoint `id`.
unsafe extern "C" fn feed(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, chunk]| {
            with_endpoint(bridge, u32_of(env, id), |fed, batch| {
                // SAFETY: no JavaScript runs before the bytes are done with.
                let bytes = bytes_of(env, chunk)?;
                fed.feed(bridge, bytes, batch)
            })
        })
    }
}

/// `finish(id)`: the task that the endpoint `id` waited for is over.
unsafe extern "C" fn finish(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            with_endpoint(bridge, u32_of(env, id), |fed, batch| {
                fed.finish(bridge, batch)
            })
        })
    }
}

/// `deferInflation(id)`: every compressed frame for the endpoint `id` is a task from here on.
unsafe extern "C" fn defer_inflation(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            let id = u32_of(env, id);
            if let Some(mut fed) = bridge.take_endpoint(id) {
                fed.endpoint.defer_inflation();
                bridge.put_endpoint(id, fed);
            }
            undefined(env)
        })
    }
}

/// `messageLength(id)`: what the frames of the unfinished message for the endpoint `id` claim, in bytes.
unsafe extern "C" fn message_length(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            let id = u32_of(env, id);
            let mut length = 0;
            if let Some(fed) = bridge.take_endpoint(id) {
                length = fed.endpoint.message_len();
                bridge.put_endpoint(id, fed);
            }
            number(env, length as f64)
        })
    }
}

/// `free(id)`: an endpoint is done with.
unsafe extern "C" fn free(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id]| {
            bridge.remove_endpoint(u32_of(env, id));
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
