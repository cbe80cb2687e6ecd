//! The calls of `oxws/extra`.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use napi::sys;

use super::{CallContext, Entries, entry, topics};
use crate::engine::{Effort, Frame, PendingFrame, Receivers, SharedFrame, SharedSend};
use crate::node::raw::values::{buffer, bytes_of, number, u32_of, undefined};
use crate::protocol::deflate::{DeflateParams, InflateParams, Params};
use crate::protocol::{Config, Endpoint, FrameFlags, Limits, Role};

pub(super) const ENTRIES: Entries = &[
    (c"backlog", entry!(backlog)),
    (
        c"notifyBufferedAmountLow",
        entry!(notify_buffered_amount_low),
    ),
    (c"checkAlive", entry!(check_alive)),
    (c"deflatedFrame", entry!(deflated_frame)),
    (c"pendingFrame", entry!(pending_frame)),
    (c"freeFrame", entry!(free_frame)),
    (c"broadcast", entry!(broadcast)),
];

/// `backlog(id)`: bytes the kernel does not have, without a try to write.
fn backlog(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.pending() as f64)
}

/// `notifyBufferedAmountLow(id, threshold)`: has the `bufferedAmountLow` event sent once the kernel has all but `threshold` bytes.
fn notify_buffered_amount_low(
    context: &CallContext,
    [id, threshold]: [sys::napi_value; 2],
) -> sys::napi_value {
    let env = context.env();
    if let Some(connection) = context.connection(id) {
        connection.notify_buffered_amount_low(u32_of(env, threshold) as usize);
    }
    undefined(env)
}

/// `checkAlive(id, now, silence, timeout)`: see [`crate::engine::Connection::check_alive`].
fn check_alive(
    context: &CallContext,
    [id, now, silence, timeout]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    context.number_of(id, |connection| {
        let [now, silence, timeout] = [now, silence, timeout].map(|value| u32_of(env, value));
        f64::from(connection.check_alive(now, silence, timeout) as u32)
    })
}

/// Frames that take long to make, by number, from 1 on.
#[derive(Default)]
pub(super) struct PendingFrames {
    frames: HashMap<u32, Arc<PendingFrame>>,
    last: u32,
}

impl PendingFrames {
    fn add(&mut self, frame: PendingFrame) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.frames.insert(self.last, Arc::new(frame));
        self.last
    }
}

impl CallContext {
    /// A frame that JavaScript has made, or the pending one with this number.
    pub(super) fn frame(&self, value: sys::napi_value, is_compressed: bool) -> Option<Frame> {
        let env = self.env();
        // SAFETY: no JavaScript runs before the bytes are copied.
        if let Some(bytes) = unsafe { bytes_of(env, value) } {
            let bytes = Bytes::copy_from_slice(bytes);
            return Some(Frame::Made(SharedFrame {
                bytes,
                is_compressed,
            }));
        }
        let pending = self.pending_frames.borrow();
        let frame = pending.frames.get(&u32_of(env, value))?;
        Some(Frame::Pending(Arc::clone(frame)))
    }
}

/// How a frame is made whose payload is compressed on its own.
struct Recipe {
    flags: FrameFlags,
    deflate: DeflateParams,
}

impl Recipe {
    /// Reads `flags, windowBits, level, memLevel, strategy`.
    fn read(env: sys::napi_env, numbers: [sys::napi_value; 5]) -> Self {
        let [flags, window_bits, level, mem_level, strategy] =
            numbers.map(|value| u32_of(env, value));
        Self {
            flags: FrameFlags::from(flags),
            deflate: DeflateParams {
                window_bits: window_bits as u8,
                no_context_takeover: true,
                level: level as i8,
                mem_level: mem_level as u8,
                strategy: strategy as u8,
            },
        }
    }

    fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let mut endpoint = Endpoint::new(Config {
            role: Role::Server,
            limits: Limits::default(),
            skip_utf8_validation: true,
            deflate: Some(Params {
                deflate: self.deflate,
                inflate: InflateParams {
                    window_bits: 15,
                    no_context_takeover: true,
                },
            }),
        });
        let mut frame = Vec::new();
        endpoint.frame(&mut frame, payload, self.flags, [0; 4]);
        frame
    }
}

/// `deflatedFrame(data, ...recipe)`: a frame whose payload is compressed on its own.
fn deflated_frame(
    context: &CallContext,
    [data, recipe @ ..]: [sys::napi_value; 6],
) -> sys::napi_value {
    let env = context.env();
    let recipe = Recipe::read(env, recipe);
    let mut frame = Vec::new();
    context.with_payload(data, |payload| frame = recipe.frame(&payload));
    buffer(env, &frame).unwrap_or_else(|_| undefined(env))
}

/// `pendingFrame(data, ...recipe)`: the same frame, made when it is needed, and as a rule by another thread. Answers with
/// its number.
fn pending_frame(
    context: &CallContext,
    [data, recipe @ ..]: [sys::napi_value; 6],
) -> sys::napi_value {
    let env = context.env();
    let recipe = Recipe::read(env, recipe);
    let mut payload = Vec::new();
    context.with_payload(data, |bytes| payload = bytes.into_owned());
    let frame = PendingFrame::new(Effort::of(payload.len()), move || SharedFrame {
        bytes: recipe.frame(&payload).into(),
        is_compressed: true,
    });
    let id = context.pending_frames.borrow_mut().add(frame);
    number(env, f64::from(id))
}

/// `freeFrame(number)`: nobody sends it any more.
fn free_frame(context: &CallContext, [frame]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    let mut pending = context.pending_frames.borrow_mut();
    pending.frames.remove(&u32_of(env, frame));
    undefined(env)
}

/// `broadcast(ids, frame, isCompressed, most)`: sends one frame to all whose ids, four bytes each, are in `ids`, unless more
/// than `most` bytes wait there; puts what became of it in their place. Answers with how many it was queued for.
fn broadcast(
    context: &CallContext,
    [ids, frame, is_compressed, most]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    let frame = context.frame(frame, u32_of(env, is_compressed) != 0);
    // SAFETY: no JavaScript runs before this function returns, and JavaScript passes memory of its own for the ids.
    let (Some(ids), Some(frame)) = (unsafe { bytes_of(env, ids) }, frame) else {
        return undefined(env);
    };
    let most = topics::limit_of(env, most);
    let is_many = ids.len() / 4 >= topics::FEW
        || frame.pending().is_some()
        || context.bridge.engine().has_fan_outs();
    let queued = if is_many && !context.environment().sends().is_leaving() {
        broadcast_to_many(context, ids, frame, most)
    } else {
        broadcast_now(context, ids, frame.get(), most)
    };
    number(env, queued as f64)
}

fn broadcast_now(context: &CallContext, ids: &mut [u8], frame: &SharedFrame, most: usize) -> usize {
    let sends = context.environment().sends();
    let mut queued = 0;
    for place in ids.as_chunks_mut::<4>().0 {
        let connection = context.bridge.connection(u32::from_ne_bytes(*place));
        let result = connection.map_or(SharedSend::Closed, |connection| {
            let flush = sends.flush_for_bytes(&connection, false, frame.bytes.len());
            let result = connection.send_shared(frame, most, flush);
            sends.sent(&connection);
            result
        });
        queued += usize::from(result == SharedSend::Queued);
        *place = (result as u32).to_ne_bytes();
    }
    queued
}

/// The same by another thread: it is queued for all who are not slow now.
fn broadcast_to_many(context: &CallContext, ids: &mut [u8], frame: Frame, most: usize) -> usize {
    let receivers = context.bridge.receivers(ids);
    let slow = receivers.slow(most);
    let queued = receivers.count() - slow.len();
    ids.fill(0);
    let places = ids.as_chunks_mut::<4>().0;
    for slot in &slow {
        places[*slot as usize] = (SharedSend::Slow as u32).to_ne_bytes();
    }
    context.send_to_all(&receivers, vec![Some(frame)], slow, most);
    queued
}
