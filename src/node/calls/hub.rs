//! The calls of backplanes between the threads of the process.

use std::sync::Arc;

use napi::sys;

use super::{CallContext, Entries, entry};
use crate::engine::HubMember;
use crate::node::bridge::table::Entry;
use crate::node::raw::values::{bytes_of, number, u32_of, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"joinHub", entry!(join)),
    (c"leaveHub", entry!(leave)),
    (c"subscribeInHub", entry!(subscribe)),
    (c"unsubscribeInHub", entry!(unsubscribe)),
    (c"publishInHub", entry!(publish)),
];

impl CallContext {
    /// Has a member do `work` with a name; nothing if it has left.
    fn with_member(
        &self,
        id: sys::napi_value,
        name: sys::napi_value,
        work: impl FnOnce(&Arc<HubMember>, &[u8]),
    ) -> sys::napi_value {
        let env = self.env();
        if let Some(member) = self.bridge.member(u32_of(env, id)) {
            self.with_payload(name, |name| work(&member, &name));
        }
        undefined(env)
    }
}

/// `joinHub(name, most)`: makes a member, for which `most` bytes may wait, and answers with its id.
fn join(context: &CallContext, [name, most]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    let most = u32_of(env, most) as usize;
    let bridge = &context.bridge;
    let mut id = 0;
    context.with_payload(name, |name| {
        let engine = Arc::clone(bridge.engine());
        let member = HubMember::join(engine, bridge.index(), &name, most);
        id = bridge.add(Entry::HubMember(Arc::clone(&member)));
        member.set_id(id);
    });
    number(env, f64::from(id))
}

/// `leaveHub(id)`: nothing comes any more, and the id is free.
fn leave(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    let id = u32_of(env, id);
    if let Some(member) = context.bridge.member(id) {
        member.leave();
        context.bridge.remove(id);
    }
    undefined(env)
}

/// `subscribeInHub(id, topic, number)`: what others publish comes with this number.
fn subscribe(context: &CallContext, [id, topic, number]: [sys::napi_value; 3]) -> sys::napi_value {
    let number = u32_of(context.env(), number);
    context.with_member(id, topic, |member, topic| member.subscribe(topic, number))
}

/// `unsubscribeInHub(id, topic)`: the other way.
fn unsubscribe(context: &CallContext, [id, topic]: [sys::napi_value; 2]) -> sys::napi_value {
    context.with_member(id, topic, |member, topic| member.unsubscribe(topic))
}

/// `publishInHub(id, topic, bytes)`: to all others that are subscribed.
fn publish(context: &CallContext, [id, topic, bytes]: [sys::napi_value; 3]) -> sys::napi_value {
    context.with_member(id, topic, |member, topic| {
        // SAFETY: no JavaScript runs before the bytes are copied.
        if let Some(bytes) = unsafe { bytes_of(context.env(), bytes) } {
            member.publish(topic, bytes);
        }
    })
}
