//! The calls of `Topics`.

use std::cell::RefCell;
use std::sync::Arc;

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::engine::{Change, Connection, FanOut, Frame, INDIRECT, ReceiverList, Receivers, Topics};
use crate::node::raw::values::{buffer, bytes_of, elements, number, strings, u32_of, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"createTopics", entry!(create)),
    (c"freeTopics", entry!(free)),
    (c"addSubscriber", entry!(add_subscriber)),
    (c"setSubscriber", entry!(set_subscriber)),
    (c"removeSubscriber", entry!(remove_subscriber)),
    (c"subscribe", entry!(subscribe)),
    (c"unsubscribe", entry!(unsubscribe)),
    (c"isSubscribed", entry!(is_subscribed)),
    (c"topicsOf", entry!(topics_of)),
    (c"topicSize", entry!(size)),
    (c"classesOf", entry!(classes)),
    (c"membersOf", entry!(members)),
    (c"indirectMembersOf", entry!(indirect_members)),
    (c"slowMembersOf", entry!(slow_members)),
    (c"publish", entry!(publish)),
];

/// As many receivers are sent to while the call waits: to wake a thread takes longer.
pub(super) const FEW: usize = 16;

/// All there are, by number.
pub(super) type Registry = RefCell<Vec<Option<Topics>>>;

impl CallContext {
    /// Has the topics with this number do `work`; nothing if they are gone.
    fn with_topics<T: Default>(
        &self,
        topics: sys::napi_value,
        work: impl FnOnce(&mut Topics) -> T,
    ) -> T {
        let index = u32_of(self.env(), topics) as usize;
        let mut registry = self.topics.borrow_mut();
        let topics = registry.get_mut(index).and_then(Option::as_mut);
        topics.map(work).unwrap_or_default()
    }

    /// The same with a name.
    fn with_topic<T: Default>(
        &self,
        topics: sys::napi_value,
        name: sys::napi_value,
        work: impl FnOnce(&mut Topics, &[u8]) -> T,
    ) -> T {
        let mut result = T::default();
        self.with_payload(name, |name| {
            result = self.with_topics(topics, |topics| work(topics, &name));
        });
        result
    }

    /// Where a subscriber of this class is sent to: not by the engine if the connection is gone.
    fn way_of(&self, id: sys::napi_value, class: sys::napi_value) -> (Option<Arc<Connection>>, u8) {
        match self.connection(id) {
            None => (None, INDIRECT),
            connection => (connection, u32_of(self.env(), class) as u8),
        }
    }

    /// Subscribes or unsubscribes. Answers with 0 if that changes nothing, 2 if the topic has its first subscriber, or none
    /// any more, else 1.
    fn change(
        &self,
        [topics, slot, name]: [sys::napi_value; 3],
        change: impl FnOnce(&mut Topics, u32, &[u8]) -> Change,
    ) -> sys::napi_value {
        let env = self.env();
        let slot = u32_of(env, slot);
        let Change { is_change, is_edge } =
            self.with_topic(topics, name, |topics, name| change(topics, slot, name));
        number(env, f64::from(u8::from(is_change) + u8::from(is_edge)))
    }

    /// Sends to a list of connections: here and now if they are few and nothing is on its way to any, by another thread
    /// otherwise.
    pub(super) fn send_to_all(
        &self,
        receivers: &Arc<ReceiverList>,
        frames: Vec<Option<Frame>>,
        left_out: Vec<u32>,
        most: usize,
    ) {
        let engine = self.bridge.engine();
        let sends = self.environment().sends();
        let is_pending = frames
            .iter()
            .flatten()
            .any(|frame| frame.pending().is_some());
        let is_now = receivers.count() < FEW && !is_pending || sends.is_leaving();
        if !is_now || engine.has_fan_outs() {
            let receivers = Arc::clone(receivers) as Arc<dyn Receivers>;
            engine.fan_out(FanOut::new(receivers, frames, left_out, most));
            if sends.is_leaving() {
                engine.finish_fan_outs();
            }
            return;
        }
        for each in receivers.list() {
            let Some(Some(frame)) = frames.get(usize::from(each.class)) else {
                continue;
            };
            if left_out.contains(&each.slot) {
                continue;
            }
            let frame = frame.get();
            let flush = sends.flush_for_bytes(&each.connection, false, frame.bytes.len());
            each.connection.send_shared(frame, most, flush);
            sends.sent(&each.connection);
        }
    }
}

/// `createTopics()`: makes an empty set of topics, and answers with its number.
fn create(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    let mut registry = context.topics.borrow_mut();
    let free = registry.iter().position(Option::is_none);
    let index = free.unwrap_or(registry.len());
    if index == registry.len() {
        registry.push(None);
    }
    registry[index] = Some(Topics::default());
    number(context.env(), index as f64)
}

/// `freeTopics(topics)`: they are done with.
fn free(context: &CallContext, [topics]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    let index = u32_of(env, topics) as usize;
    let freed = context.topics.borrow_mut().get_mut(index).map(Option::take);
    drop(freed);
    undefined(env)
}

/// `addSubscriber(topics, id, class)`: a subscriber to come; answers with its slot. The engine sends to those of
/// a class other than 0, whose connections have these ids.
fn add_subscriber(
    context: &CallContext,
    [topics, id, class]: [sys::napi_value; 3],
) -> sys::napi_value {
    let (connection, class) = context.way_of(id, class);
    let slot = context.with_topics(topics, |topics| topics.add_subscriber(connection, class));
    number(context.env(), f64::from(slot))
}

/// `setSubscriber(topics, slot, id, class)`: it is of another class from here on.
fn set_subscriber(
    context: &CallContext,
    [topics, slot, id, class]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    let (connection, class) = context.way_of(id, class);
    let slot = u32_of(env, slot);
    context.with_topics(topics, |topics| topics.set_class(slot, connection, class));
    undefined(env)
}

/// `removeSubscriber(topics, slot)`: it goes, with all that it was subscribed to.
fn remove_subscriber(
    context: &CallContext,
    [topics, slot]: [sys::napi_value; 2],
) -> sys::napi_value {
    let env = context.env();
    let slot = u32_of(env, slot);
    context.with_topics(topics, |topics| topics.remove_subscriber(slot));
    undefined(env)
}

/// `subscribe(topics, slot, name)`: answers with 0 if it is subscribed already, 2 if it is the first one, else 1.
fn subscribe(context: &CallContext, arguments: [sys::napi_value; 3]) -> sys::napi_value {
    context.change(arguments, Topics::subscribe)
}

/// `unsubscribe(topics, slot, name)`: answers with 0 if it is not subscribed, 2 if it was the last one, else 1.
fn unsubscribe(context: &CallContext, arguments: [sys::napi_value; 3]) -> sys::napi_value {
    context.change(arguments, Topics::unsubscribe)
}

/// `isSubscribed(topics, slot, name)`: 1 or 0.
fn is_subscribed(
    context: &CallContext,
    [topics, slot, name]: [sys::napi_value; 3],
) -> sys::napi_value {
    let env = context.env();
    let slot = u32_of(env, slot);
    let is_subscribed = context.with_topic(topics, name, |topics, name| {
        topics.is_subscribed(slot, name)
    });
    number(env, f64::from(u8::from(is_subscribed)))
}

/// `topicsOf(topics, slot)`: the names of what it is subscribed to.
fn topics_of(context: &CallContext, [topics, slot]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    let slot = u32_of(env, slot);
    let names: Vec<Vec<u8>> = context.with_topics(topics, |topics| {
        topics.topics_of(slot).map(<[u8]>::to_vec).collect()
    });
    strings(env, &names).unwrap_or_else(|_| undefined(env))
}

/// `topicSize(topics, name)`: how many are subscribed to it.
fn size(context: &CallContext, [topics, name]: [sys::napi_value; 2]) -> sys::napi_value {
    let size = context.with_topic(topics, name, |topics, name| topics.size(name));
    number(context.env(), size as f64)
}

/// `classesOf(topics, name)`: a bit for each class that those who are subscribed to it may be of.
fn classes(context: &CallContext, [topics, name]: [sys::napi_value; 2]) -> sys::napi_value {
    let classes = context.with_topic(topics, name, |topics, name| topics.classes(name));
    number(context.env(), f64::from(classes))
}

/// `membersOf(topics, name)`: the slots of all who are subscribed to it, four bytes each; `undefined` if there are none.
fn members(context: &CallContext, [topics, name]: [sys::napi_value; 2]) -> sys::napi_value {
    let slots = context.with_topic(topics, name, |topics, name| topics.members(name).collect());
    slots_to_js(context, slots)
}

/// `indirectMembersOf(topics, name)`: of those the ones to whom the engine does not send.
fn indirect_members(
    context: &CallContext,
    [topics, name]: [sys::napi_value; 2],
) -> sys::napi_value {
    let slots = context.with_topic(topics, name, |topics, name| topics.indirect(name).collect());
    slots_to_js(context, slots)
}

/// `slowMembersOf(topics, name, most)`: of the others those for whom more than `most` bytes wait.
fn slow_members(
    context: &CallContext,
    [topics, name, most]: [sys::napi_value; 3],
) -> sys::napi_value {
    let most = limit_of(context.env(), most);
    let receivers = receivers_of(context, topics, name);
    slots_to_js(
        context,
        receivers.map_or_else(Vec::new, |list| list.slow(most)),
    )
}

/// `publish(topics, name, frames, compressed, leftOut, most)`: sends to those who are subscribed to a topic and are not in
/// `leftOut`, four bytes a slot. Each class has a frame; `compressed` has a bit for it. Answers with how many there are.
fn publish(
    context: &CallContext,
    [topics, name, frames, compressed, left_out, most]: [sys::napi_value; 6],
) -> sys::napi_value {
    let env = context.env();
    let Some(receivers) = receivers_of(context, topics, name) else {
        return number(env, 0.0);
    };
    // SAFETY: no JavaScript runs before the bytes are done with.
    let left_out = unsafe { bytes_of(env, left_out) }.unwrap_or_default();
    let mut left_out = slots_of(left_out);
    if !left_out.is_empty() {
        context.with_topic(topics, name, |topics, name| {
            left_out.retain(|slot| topics.is_subscribed(*slot, name));
        });
    }
    // Those who are subscribed and sent to by the engine are receivers, so that there are no fewer of these.
    let count = receivers.count().saturating_sub(left_out.len());
    if count > 0 {
        let frames = frames_of(context, frames, u32_of(env, compressed));
        context.send_to_all(&receivers, frames, left_out, limit_of(env, most));
    }
    number(env, count as f64)
}

fn receivers_of(
    context: &CallContext,
    topics: sys::napi_value,
    name: sys::napi_value,
) -> Option<Arc<ReceiverList>> {
    context.with_topic(topics, name, |topics, name| {
        topics.receivers(name).map(Arc::clone)
    })
}

fn frames_of(
    context: &CallContext,
    frames: sys::napi_value,
    compressed: u32,
) -> Vec<Option<Frame>> {
    elements(context.env(), frames)
        .into_iter()
        .zip(0..u32::BITS)
        .map(|(frame, class)| context.frame(frame, compressed & (1_u32 << class) != 0))
        .collect()
}

/// A number of bytes that may wait; the largest stands for any.
pub(super) fn limit_of(env: sys::napi_env, value: sys::napi_value) -> usize {
    match u32_of(env, value) {
        u32::MAX => usize::MAX,
        most => most as usize,
    }
}

/// Numbers of four bytes each.
fn slots_of(bytes: &[u8]) -> Vec<u32> {
    let (slots, _) = bytes.as_chunks::<4>();
    slots.iter().map(|slot| u32::from_ne_bytes(*slot)).collect()
}

fn slots_to_js(context: &CallContext, slots: Vec<u32>) -> sys::napi_value {
    let env = context.env();
    if slots.is_empty() {
        return undefined(env);
    }
    let bytes: Vec<u8> = slots.iter().flat_map(|slot| slot.to_ne_bytes()).collect();
    buffer(env, &bytes).unwrap_or_else(|_| undefined(env))
}
