//! The calls of stream endpoints.

use std::cell::RefCell;

use napi::sys;

use super::{CallContext, Entries, config, entry};
use crate::engine::Batch;
use crate::node::bridge::dispatch::deliver_events;
use crate::node::bridge::stream_endpoint::{Returned, StreamEndpoint};
use crate::node::bridge::table::Entry;
use crate::node::raw::values::{buffer, bytes_of, number, throw_no_bytes, u32_of, undefined};
use crate::protocol::{Endpoint, FrameFlags, Limits};

pub(super) const ENTRIES: Entries = &[
    (c"createEndpoint", entry!(create_endpoint)),
    (c"frame", entry!(frame)),
    (c"beginFrame", entry!(begin_frame)),
    (c"finishFrame", entry!(finish_frame)),
    (c"feed", entry!(feed)),
    (c"finish", entry!(finish)),
    (c"deferInflation", entry!(defer_inflation)),
    (c"setLimits", entry!(set_limits)),
    (c"messageLength", entry!(message_length)),
    (c"free", entry!(free)),
];

/// `createEndpoint(...config)`: makes an endpoint, and answers with its id.
fn create_endpoint(
    context: &CallContext,
    numbers: [sys::napi_value; config::LENGTH],
) -> sys::napi_value {
    let env = context.env();
    let endpoint = Box::new(Endpoint::new(config::read(env, numbers)));
    let endpoint = Box::new(StreamEndpoint::new(endpoint, Returned::default()));
    number(
        env,
        f64::from(context.bridge.add(Entry::Endpoint(Some(endpoint)))),
    )
}

/// `frame(id, data, flags, key, room, offset)`: a frame of the endpoint `id`, for JavaScript to send. Where it fits into
/// `room` from `offset` on it is put there, and its length returned; it has a Buffer of its own otherwise.
fn frame(
    context: &CallContext,
    [id, data, flags, key, room, offset]: [sys::napi_value; 6],
) -> sys::napi_value {
    let env = context.env();
    let flags = FrameFlags::from(u32_of(env, flags));
    let key = u32_of(env, key).to_le_bytes();
    let mut out = Vec::new();
    let done = context.bridge.borrow_endpoint(u32_of(env, id), |endpoint| {
        context.with_payload(data, |payload| {
            endpoint.protocol.frame(&mut out, &payload, flags, key);
        });
    });
    if done.is_none() {
        return undefined(env);
    }
    // SAFETY: no JavaScript runs before the bytes are done with.
    let room = unsafe { bytes_of(env, room) }
        .and_then(|room| room.get_mut(u32_of(env, offset) as usize..))
        .and_then(|room| room.get_mut(..out.len()));
    if let Some(room) = room {
        room.copy_from_slice(&out);
        return number(env, out.len() as f64);
    }
    buffer(env, &out).unwrap_or_else(|_| undefined(env))
}

/// `beginFrame(id, data, flags, key)`: makes a compressed frame of the endpoint `id` elsewhere. Answers with the id of a
/// task; `undefined` if there is no such endpoint, or nothing to compress.
fn begin_frame(
    context: &CallContext,
    [id, data, flags, key]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    let flags = FrameFlags::from(u32_of(env, flags));
    let key = u32_of(env, key).to_le_bytes();
    let mut task = None;
    context.bridge.borrow_endpoint(u32_of(env, id), |endpoint| {
        context.with_payload(data, |payload| {
            task = endpoint.begin_frame(&context.bridge, payload, flags, key);
        });
    });
    task.map_or_else(|| undefined(env), |task| number(env, f64::from(task)))
}

/// `finishFrame(id)`: the frame that the task made.
fn finish_frame(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context
        .bridge
        .borrow_endpoint(u32_of(env, id), StreamEndpoint::finish_frame)
        .flatten()
        .and_then(|frame| buffer(env, &frame).ok())
        .unwrap_or_else(|| undefined(env))
}

/// Has the endpoint `id` do `work`, tells what comes of it through the dispatch function, unless `work` has told it, then
/// answers with what `work` says.
fn with_endpoint(
    context: &CallContext,
    id: u32,
    work: impl FnOnce(&mut StreamEndpoint, &mut Batch) -> Answer,
) -> sys::napi_value {
    let CallContext { bridge, .. } = context;
    // A listener may feed another endpoint: that gets a batch of its own.
    let batch = RefCell::new(context.batch.take());
    let answer = bridge
        .borrow_endpoint(id, |endpoint| work(endpoint, &mut batch.borrow_mut()))
        .unwrap_or(Answer::Done);
    if !matches!(answer, Answer::InChunk(_)) {
        let events = 0..batch.borrow().events.len();
        deliver_events(bridge, id, &batch, events, 0, || false);
    }
    let mut batch = batch.into_inner();
    batch.clear();
    context.batch.replace(batch);
    let env = context.env();
    match answer {
        Answer::Done => undefined(env),
        Answer::Awaits(task) => number(env, f64::from(task)),
        Answer::InChunk(count) => number(env, -(count as f64)),
    }
}

/// What a call answers with.
enum Answer {
    /// `undefined`: all is told.
    Done,
    /// The id of a task that must be over before the endpoint can go on.
    Awaits(u32),
    /// So many events, as a number below 0: their records are in `bridge.inChunk`, their payloads in the chunk.
    InChunk(usize),
}

impl From<Option<u32>> for Answer {
    fn from(task: Option<u32>) -> Self {
        task.map_or(Self::Done, Self::Awaits)
    }
}

/// Up to this length messages may share the memory of the chunk, in bytes: one that is kept keeps so much of it.
const SHORT: usize = 4 * 1024;

/// `feed(id, chunk, isAlone)`: what the bytes mean for the endpoint `id`. Messages may stay in the chunk if `isAlone` is 1:
/// its memory has no other bytes.
fn feed(context: &CallContext, [id, chunk, is_alone]: [sys::napi_value; 3]) -> sys::napi_value {
    let env = context.env();
    with_endpoint(context, u32_of(env, id), |endpoint, batch| {
        // SAFETY: no JavaScript runs before the bytes are done with.
        let Some(chunk) = (unsafe { bytes_of(env, chunk) }) else {
            throw_no_bytes(env);
            return Answer::Done;
        };
        let task = endpoint.feed(&context.bridge, chunk, batch);
        let count = batch.events.len();
        let may_stay = chunk.len() <= SHORT && u32_of(env, is_alone) != 0 && task.is_none();
        if count > 0 && may_stay && batch.is_in_chunk() && context.bridge.in_chunk.set(batch) {
            return Answer::InChunk(count);
        }
        batch.keep_chunk(chunk);
        task.into()
    })
}

/// `finish(id)`: the task that the endpoint `id` waited for is over.
fn finish(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    with_endpoint(context, u32_of(env, id), |endpoint, batch| {
        endpoint.finish(&context.bridge, batch).into()
    })
}

/// `deferInflation(id)`: every compressed frame for the endpoint `id` is a task from here on.
fn defer_inflation(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context.bridge.borrow_endpoint(u32_of(env, id), |endpoint| {
        endpoint.protocol.defer_inflation();
    });
    undefined(env)
}

/// `setLimits(id, skipUtf8Validation, maxPayload, maxFragments, maxBufferedChunks)`: these hold from here on. 0 if the
/// endpoint is in use, and they have to be told again.
fn set_limits(context: &CallContext, numbers: [sys::napi_value; 5]) -> sys::napi_value {
    let env = context.env();
    let [id, skips, max_payload, max_fragments, max_buffered_chunks] =
        numbers.map(|number| u32_of(env, number));
    let limits = Limits {
        max_payload: u64::from(max_payload),
        max_fragments,
        max_buffered_chunks,
    };
    let is_told = context.bridge.borrow_endpoint(id, |endpoint| {
        endpoint.protocol.set_limits(limits, skips != 0)
    });
    number(env, f64::from(u8::from(is_told.is_some())))
}

/// `messageLength(id)`: what the frames of the unfinished message for the endpoint `id` claim, in bytes.
fn message_length(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    let length = context
        .bridge
        .borrow_endpoint(u32_of(env, id), |endpoint| endpoint.protocol.message_len());
    number(env, length.unwrap_or_default() as f64)
}

/// `free(id)`: an endpoint is done with.
fn free(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context.bridge.remove_endpoint(u32_of(env, id));
    undefined(env)
}
