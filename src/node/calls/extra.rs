//! The calls of `oxws/extra`.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use napi::sys;

use super::{CallContext, Entries, entry, topics};
use crate::engine::{Receiver, ReceiverList, Receivers, SharedFrame, SharedSend};
use crate::node::raw::values::{buffer, bytes_of, number, u32_of, undefined};
use crate::protocol::deflate::{DeflateParams, InflateParams, Params};
use crate::protocol::{Config, Endpoint, FrameFlags, Limits, Role};

pub(super) const ENTRIES: Entries = &[
    (c"backlog", entry!(backlog)),
    (c"notifyLow", entry!(notify_low)),
    (c"checkAlive", entry!(check_alive)),
    (c"deflatedFrame", entry!(deflated_frame)),
    (c"broadcast", entry!(broadcast)),
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

/// `deflatedFrame(data, flags, windowBits, level, memLevel, strategy)`: a frame whose payload is compressed on its own.
fn deflated_frame(
    context: &CallContext,
    [data, flags, settings @ ..]: [sys::napi_value; 6],
) -> sys::napi_value {
    let env = context.env();
    let [window_bits, level, mem_level, strategy] = settings.map(|value| u32_of(env, value) as u8);
    let mut endpoint = Endpoint::new(Config {
        role: Role::Server,
        limits: Limits::default(),
        skip_utf8_validation: true,
        deflate: Some(Params {
            deflate: DeflateParams {
                window_bits,
                no_context_takeover: true,
                level: level as i8,
                mem_level,
                strategy,
            },
            inflate: InflateParams {
                window_bits: 15,
                no_context_takeover: true,
            },
        }),
    });
    let flags = FrameFlags::from(u32_of(env, flags));
    let mut frame = Vec::new();
    context.with_payload(data, |payload| {
        endpoint.frame(&mut frame, &payload, flags, [0; 4]);
    });
    buffer(env, &frame).unwrap_or_else(|_| undefined(env))
}

/// Whom a broadcast went to, as long as it is on its way: those that follow go to the same ones, as a rule.
#[derive(Default)]
pub(super) struct LastBroadcast {
    ids: Vec<u8>,
    /// Ids may be somebody else's when this is another one.
    removals: u32,
    receivers: Weak<ReceiverList>,
}

/// `broadcast(ids, frame, isCompressed, most)`: sends one frame to all whose ids, four bytes each, are in `ids`, unless more
/// than `most` bytes wait there; puts what became of it in their place. Answers with how many it was queued for.
fn broadcast(
    context: &CallContext,
    [ids, frame, is_compressed, most]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    // SAFETY: no JavaScript runs before this function returns, and JavaScript passes memory of its own for the ids.
    let (Some(ids), Some(frame)) = (unsafe { (bytes_of(env, ids), bytes_of(env, frame)) }) else {
        return undefined(env);
    };
    let frame = SharedFrame {
        bytes: Bytes::copy_from_slice(frame),
        is_compressed: u32_of(env, is_compressed) != 0,
    };
    let most = u32_of(env, most) as usize;
    let is_many = ids.len() / 4 >= topics::FEW || context.bridge.engine().has_fan_outs();
    let queued = if is_many && !context.environment().sends().is_leaving() {
        broadcast_to_many(context, ids, frame, most)
    } else {
        broadcast_now(context, ids, &frame, most)
    };
    number(env, queued as f64)
}

fn broadcast_now(context: &CallContext, ids: &mut [u8], frame: &SharedFrame, most: usize) -> usize {
    let sends = context.environment().sends();
    let mut queued = 0;
    for place in ids.as_chunks_mut::<4>().0 {
        let connection = context.bridge.connection(u32::from_ne_bytes(*place));
        let result = connection.map_or(SharedSend::Closed, |connection| {
            let flush = sends.flush_for_bytes(&connection, false);
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
fn broadcast_to_many(
    context: &CallContext,
    ids: &mut [u8],
    frame: SharedFrame,
    most: usize,
) -> usize {
    let receivers = broadcast_receivers(context, ids);
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

/// The connections with these ids, by their place among them.
fn broadcast_receivers(context: &CallContext, ids: &[u8]) -> Arc<ReceiverList> {
    let mut last = context.last_broadcast.borrow_mut();
    let removals = context.bridge.removals();
    if last.ids == ids
        && last.removals == removals
        && let Some(receivers) = last.receivers.upgrade()
    {
        return receivers;
    }
    let receiver = |(id, slot)| {
        Some(Receiver {
            connection: context.bridge.connection(id)?,
            slot,
            class: 0,
        })
    };
    let receivers = topics::slots_of(ids)
        .into_iter()
        .zip(0..)
        .filter_map(receiver);
    let receivers = Arc::new(ReceiverList::from(receivers.collect::<Vec<_>>()));
    *last = LastBroadcast {
        ids: ids.to_vec(),
        removals,
        receivers: Arc::downgrade(&receivers),
    };
    receivers
}
