//! The calls of endpoints whose bytes JavaScript carries.

use std::cell::RefCell;
use std::ffi::CStr;

use napi::sys;

use crate::engine::Batch;
use crate::node::bridge::dispatch::deliver_events;
use crate::node::bridge::stream_endpoint::{Returned, StreamEndpoint};
use crate::node::bridge::{Bridge, Entry};
use crate::node::calls::config;
use crate::node::calls::messages::{with_bridge, with_payload};
use crate::node::raw::values::{
    Entry as RawEntry, buffer, bytes_of, number, throw_no_bytes, u32_of, undefined,
};
use crate::protocol::{Endpoint, FrameFlags, Limits};

/// Functions of a bridge object.
pub(crate) const ENTRIES: &[(&CStr, RawEntry)] = &[
    (c"createEndpoint", create_endpoint),
    (c"frame", frame),
    (c"beginFrame", begin_frame),
    (c"finishFrame", finish_frame),
    (c"feed", feed),
    (c"finish", finish),
    (c"deferInflation", defer_inflation),
    (c"setLimits", set_limits),
    (c"messageLength", message_length),
    (c"free", free),
];

/// `createEndpoint(...config)`: makes an endpoint, and answers with its id.
unsafe extern "C" fn create_endpoint(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, numbers: [_; config::LENGTH]| {
            let endpoint = Box::new(Endpoint::new(config::read(env, numbers)));
            let fed = Box::new(StreamEndpoint::new(endpoint, Returned::default()));
            number(env, f64::from(bridge.add(Entry::Endpoint(Some(fed)))))
        })
    }
}

/// `frame(id, data, flags, key, room, offset)`: a frame of the endpoint `id`, for JavaScript to send. Where it fits into
/// `room` from `offset` on it is put there, and its length returned; it has a Buffer of its own otherwise.
unsafe extern "C" fn frame(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, flags, key, room, offset]| {
            let flags = FrameFlags::from(u32_of(env, flags));
            let key = u32_of(env, key).to_le_bytes();
            let mut out = Vec::new();
            let done = bridge.borrow_endpoint(u32_of(env, id), |fed| {
                with_payload(bridge, data, |payload| {
                    fed.endpoint.frame(&mut out, &payload, flags, key);
                });
            });
            if done.is_none() {
                return undefined(env);
            }
            // SAFETY: no JavaScript runs before the bytes are done with.
            let room = bytes_of(env, room)
                .and_then(|room| room.get_mut(u32_of(env, offset) as usize..))
                .and_then(|room| room.get_mut(..out.len()));
            if let Some(room) = room {
                room.copy_from_slice(&out);
                return number(env, out.len() as f64);
            }
            buffer(env, &out).unwrap_or_else(|_| undefined(env))
        })
    }
}

/// `beginFrame(id, data, flags, key)`: makes a compressed frame of the endpoint `id` elsewhere. Answers with the id of a
/// task; `undefined` if there is no such endpoint, or nothing to compress.
unsafe extern "C" fn begin_frame(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, data, flags, key]| {
            let flags = FrameFlags::from(u32_of(env, flags));
            let key = u32_of(env, key).to_le_bytes();
            let mut task = None;
            bridge.borrow_endpoint(u32_of(env, id), |fed| {
                with_payload(bridge, data, |payload| {
                    task = fed.begin_frame(bridge, payload, flags, key);
                });
            });
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
            bridge
                .borrow_endpoint(u32_of(env, id), StreamEndpoint::finish_frame)
                .flatten()
                .and_then(|frame| buffer(env, &frame).ok())
                .unwrap_or_else(|| undefined(env))
        })
    }
}

/// Has the endpoint `id` do `work`, tells what comes of it through the dispatch function, then answers with the id of
/// the task that must be over before the endpoint can go on, `undefined` if there is none.
fn with_endpoint(
    bridge: &Bridge,
    id: u32,
    work: impl FnOnce(&mut StreamEndpoint, &mut Batch) -> Option<u32>,
) -> sys::napi_value {
    let env = bridge.environment().env;
    let environment = bridge.environment();
    // A listener may feed another endpoint: that gets a batch of its own.
    let batch = RefCell::new(environment.fed.take());
    let task = bridge
        .borrow_endpoint(id, |fed| work(fed, &mut batch.borrow_mut()))
        .flatten();
    let events = 0..batch.borrow().events.len();
    deliver_events(environment, bridge, id, &batch, events, false);
    let mut batch = batch.into_inner();
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
                let Some(bytes) = bytes_of(env, chunk) else {
                    throw_no_bytes(env);
                    return None;
                };
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
            bridge.borrow_endpoint(u32_of(env, id), |fed| {
                fed.endpoint.defer_inflation();
            });
            undefined(env)
        })
    }
}

/// `setLimits(id, skipUtf8Validation, maxPayload, maxFragments, maxBufferedChunks)`: these hold from here on. 0 if the
/// endpoint is in use, and they have to be told again.
unsafe extern "C" fn set_limits(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, numbers: [_; 5]| {
            let [id, skips, max_payload, max_fragments, max_buffered_chunks] =
                numbers.map(|number| u32_of(env, number));
            let limits = Limits {
                max_payload: u64::from(max_payload),
                max_fragments,
                max_buffered_chunks,
            };
            let is_told =
                bridge.borrow_endpoint(id, |fed| fed.endpoint.set_limits(limits, skips != 0));
            number(env, f64::from(u8::from(is_told.is_some())))
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
            let length = bridge.borrow_endpoint(u32_of(env, id), |fed| fed.endpoint.message_len());
            number(env, length.unwrap_or_default() as f64)
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
