//! Bytes from one JavaScript environment of the process to the others.
//!
//! A hub has a name, and members. What one of them publishes is shared by all others that are subscribed to the topic: it
//! is put into their inboxes, and a member that has something there is polled as a socket is that can be read.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};

use bytes::Bytes;

use super::connection::NO_ID;
use super::events::{Batch, Event, Kind, Origin, Owner};
use super::run_queue::{Pollable, Source};
use super::runtime::Engine;
use super::sync::lock;

/// What one poll takes out of an inbox: messages, and bytes of them.
const POLL_MESSAGES: usize = 256;
const POLL_BYTES: usize = 1024 * 1024;

/// What a message takes besides its bytes.
const OVERHEAD: usize = 64;

/// Those that have members, by name.
static HUBS: LazyLock<Mutex<HashMap<Vec<u8>, Weak<Hub>>>> = LazyLock::new(Mutex::default);

/// A member has this number for a topic.
struct Subscription {
    member: Arc<HubMember>,
    number: u32,
}

/// Members, by the topics that they are subscribed to.
struct Hub {
    name: Vec<u8>,
    topics: Mutex<HashMap<Vec<u8>, Vec<Subscription>>>,
}

impl Hub {
    fn named(name: &[u8]) -> Arc<Self> {
        let mut hubs = lock(&HUBS);
        if let Some(hub) = hubs.get(name).and_then(Weak::upgrade) {
            return hub;
        }
        let hub = Arc::new(Self {
            name: name.to_vec(),
            topics: Mutex::default(),
        });
        hubs.insert(name.to_vec(), Arc::downgrade(&hub));
        hub
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let mut hubs = lock(&HUBS);
        // Another one may have the name by now.
        if hubs
            .get(&self.name)
            .is_some_and(|hub| hub.strong_count() == 0)
        {
            hubs.remove(&self.name);
        }
    }
}

/// What came for a member and was not polled yet.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<(u32, Bytes)>,
    /// What they take, and those that were polled and that JavaScript has still to take.
    bytes: usize,
    /// Messages that there was no room for.
    lost: u32,
    /// It waits to be polled.
    is_scheduled: bool,
    has_left: bool,
}

/// One of those who publish and hear each other.
pub struct HubMember {
    engine: Arc<Engine>,
    bridge: u32,
    id: AtomicU32,
    hub: Arc<Hub>,
    /// Bytes that may wait for JavaScript.
    most: usize,
    inbox: Mutex<Inbox>,
}

impl HubMember {
    /// A member of the hub with this name, for which `most` bytes may wait.
    pub fn join(engine: Arc<Engine>, bridge: u32, name: &[u8], most: usize) -> Arc<Self> {
        Arc::new(Self {
            engine,
            bridge,
            id: AtomicU32::new(NO_ID),
            hub: Hub::named(name),
            most,
            inbox: Mutex::default(),
        })
    }

    /// Its bridge.
    pub fn bridge(&self) -> u32 {
        self.bridge
    }

    /// The number that JavaScript knows it by.
    pub fn id(&self) -> u32 {
        self.id.load(Ordering::Acquire)
    }

    /// Tells it that number.
    pub fn set_id(&self, id: u32) {
        self.id.store(id, Ordering::Release);
    }

    /// Whether it has left: its number may be another's.
    pub fn has_left(&self) -> bool {
        lock(&self.inbox).has_left
    }

    /// Gets what others publish to a topic from here on, as messages with `number`. It must not be subscribed already.
    pub fn subscribe(self: &Arc<Self>, topic: &[u8], number: u32) {
        let member = Arc::clone(self);
        let mut topics = lock(&self.hub.topics);
        topics
            .entry(topic.to_vec())
            .or_default()
            .push(Subscription { member, number });
    }

    /// Gets no more of that; what is on its way still comes.
    pub fn unsubscribe(&self, topic: &[u8]) {
        let mut topics = lock(&self.hub.topics);
        if let Some(subscriptions) = topics.get_mut(topic) {
            subscriptions.retain(|it| !ptr::eq(&*it.member, self));
            if subscriptions.is_empty() {
                topics.remove(topic);
            }
        }
    }

    /// Puts `bytes` into the inboxes of all others that are subscribed. They are copied once, if there are any.
    pub fn publish(&self, topic: &[u8], bytes: &[u8]) {
        let topics = lock(&self.hub.topics);
        let Some(subscriptions) = topics.get(topic) else {
            return;
        };
        let receivers: Vec<_> = subscriptions
            .iter()
            .filter(|it| !ptr::eq(&*it.member, self))
            .map(|it| (Arc::clone(&it.member), it.number))
            .collect();
        drop(topics);
        if receivers.is_empty() {
            return;
        }
        let bytes = Bytes::copy_from_slice(bytes);
        for (member, number) in receivers {
            member.put(number, bytes.clone());
        }
    }

    fn put(self: Arc<Self>, number: u32, bytes: Bytes) {
        let mut inbox = lock(&self.inbox);
        if inbox.has_left {
            return;
        }
        let taken = bytes.len() + OVERHEAD;
        if inbox.bytes > 0 && inbox.bytes + taken > self.most {
            inbox.lost = inbox.lost.saturating_add(1);
            return;
        }
        inbox.bytes += taken;
        inbox.messages.push_back((number, bytes));
        let is_first = !mem::replace(&mut inbox.is_scheduled, true);
        drop(inbox);
        if is_first {
            self.schedule();
        }
    }

    /// JavaScript takes these events now: they wait no more. The member has not left.
    pub fn begin_delivery(self: &Arc<Self>, events: &[Event]) {
        let messages = events.iter().filter(|it| it.kind == Kind::Published);
        let bytes: usize = messages.map(|it| it.place.len() + OVERHEAD).sum();
        let mut inbox = lock(&self.inbox);
        inbox.bytes -= bytes;
        // What was lost since they were polled is still to be told.
        let is_due = inbox.bytes == 0 && inbox.lost > 0;
        let is_first = is_due && !mem::replace(&mut inbox.is_scheduled, true);
        drop(inbox);
        if is_first {
            Arc::clone(self).schedule();
        }
    }

    fn schedule(self: Arc<Self>) {
        let engine = Arc::clone(&self.engine);
        engine.schedule(Pollable::Source(self));
    }

    /// Is nobody's member any more. Nothing follows, not even what has come.
    pub fn leave(&self) {
        let left = mem::replace(
            &mut *lock(&self.inbox),
            Inbox {
                has_left: true,
                ..Inbox::default()
            },
        );
        drop(left);
        let mut topics = lock(&self.hub.topics);
        let gone: Vec<_> = topics
            .iter_mut()
            .flat_map(|(_, subscriptions)| {
                subscriptions.extract_if(.., move |it| ptr::eq(&*it.member, self))
            })
            .collect();
        topics.retain(|_, subscriptions| !subscriptions.is_empty());
        drop(topics);
        drop(gone);
    }
}

impl Source for HubMember {
    /// Takes what has come.
    fn poll(self: Arc<Self>, batch: &mut Batch) {
        let first = batch.events.len();
        let mut inbox = lock(&self.inbox);
        let mut bytes = 0;
        while batch.events.len() - first < POLL_MESSAGES
            && bytes < POLL_BYTES
            && let Some((number, message)) = inbox.messages.pop_front()
        {
            bytes += message.len() + OVERHEAD;
            batch.push_shared(Kind::Published, number, message);
        }
        inbox.is_scheduled = !inbox.messages.is_empty();
        // As long as more waits, be it polled already, more may be lost.
        if inbox.bytes == bytes && inbox.lost > 0 {
            batch.push(Kind::Lost, mem::take(&mut inbox.lost));
        }
        let has_more = inbox.is_scheduled;
        drop(inbox);
        if has_more {
            Arc::clone(&self).schedule();
        }
        batch.end_poll(first, Origin::Unit, || Owner::Source(self));
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::Place;
    use super::*;

    const ROOM: usize = 1 << 20;

    fn join(name: &str, most: usize) -> (Arc<Engine>, Arc<HubMember>) {
        let engine = Engine::new(|| ()).expect("a runtime");
        let member = HubMember::join(Arc::clone(&engine), 0, name.as_bytes(), most);
        (engine, member)
    }

    /// What the polls of an engine that are due bring.
    fn batch(engine: &Engine) -> Batch {
        let mut ready = Vec::new();
        engine.take_ready(&mut ready);
        let mut batch = Batch::default();
        for pollable in ready {
            pollable.poll(&mut batch);
        }
        batch
    }

    /// The same as events with their payloads.
    fn poll(engine: &Engine) -> Vec<(Kind, u32, Vec<u8>)> {
        let batch = batch(engine);
        let bytes = |place: &Place| match place {
            Place::Shared(bytes) => bytes.to_vec(),
            Place::Arena(_) | Place::Owned(_) => Vec::new(),
        };
        let events = batch.events.iter();
        events
            .map(|event| (event.kind, event.value, bytes(&event.place)))
            .collect()
    }

    /// Events without their payloads.
    fn kinds(batch: &Batch) -> Vec<(Kind, u32)> {
        let events = batch.events.iter();
        events.map(|event| (event.kind, event.value)).collect()
    }

    #[test]
    fn all_others_that_are_subscribed_hear_in_order() {
        let [(own, one), (others, two), (third, three)] = [(); 3].map(|()| join("order", ROOM));
        let (_, elsewhere) = join("elsewhere", ROOM);
        elsewhere.subscribe(b"a", 1);
        one.subscribe(b"a", 7);
        two.subscribe(b"a", 8);
        three.subscribe(b"b", 9);
        one.publish(b"a", b"first");
        one.publish(b"a", b"");
        one.publish(b"c", b"nobody's");
        assert!(poll(&own).is_empty() && poll(&third).is_empty());
        assert_eq!(
            poll(&others),
            [
                (Kind::Published, 8, b"first".to_vec()),
                (Kind::Published, 8, Vec::new())
            ]
        );
        two.unsubscribe(b"a");
        one.publish(b"a", b"late");
        assert!(poll(&others).is_empty());
    }

    #[test]
    fn a_poll_is_bounded_and_the_rest_follows() {
        let [(_, one), (others, two)] = [(); 2].map(|()| join("bounds", usize::MAX));
        two.subscribe(b"a", 1);
        for _ in 0..POLL_MESSAGES + 1 {
            one.publish(b"a", b"x");
        }
        assert_eq!(poll(&others).len(), POLL_MESSAGES);
        assert_eq!(poll(&others).len(), 1);
        for _ in 0..3 {
            one.publish(b"a", &vec![0; POLL_BYTES]);
        }
        assert_eq!(poll(&others).len(), 1);
        assert_eq!(poll(&others).len(), 1);
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let [(_, one), (others, two)] = [(); 2].map(|()| join("room", 3 * OVERHEAD));
        two.subscribe(b"a", 1);
        for _ in 0..5 {
            one.publish(b"a", b"");
        }
        let published = (Kind::Published, 1);
        let polled = batch(&others);
        assert_eq!(
            kinds(&polled),
            [published, published, published, (Kind::Lost, 2)]
        );
        two.begin_delivery(&polled.events);
        // One that is longer than there is room for comes, if it is the only one.
        one.publish(b"a", &[0; 4 * OVERHEAD]);
        assert_eq!(kinds(&batch(&others)), [published]);
    }

    #[test]
    fn what_was_polled_waits_until_javascript_takes_it() {
        let [(_, one), (others, two)] = [(); 2].map(|()| join("polled", 2 * OVERHEAD));
        two.subscribe(b"a", 1);
        let published = (Kind::Published, 1);
        let [first, second] = [(); 2].map(|()| {
            one.publish(b"a", b"");
            batch(&others)
        });
        assert_eq!([&first, &second].map(kinds), [[published], [published]]);
        one.publish(b"a", b"");
        two.begin_delivery(&first.events);
        assert!(batch(&others).is_empty());
        one.publish(b"a", b"");
        let third = batch(&others);
        assert_eq!(kinds(&third), [published]);
        two.begin_delivery(&second.events);
        two.begin_delivery(&third.events);
        assert_eq!(kinds(&batch(&others)), [(Kind::Lost, 1)]);
        assert!(batch(&others).is_empty());
    }

    #[test]
    fn who_has_left_hears_nothing_and_the_hub_goes_with_the_last() {
        let [(_, one), (others, two)] = [(); 2].map(|()| join("leave", ROOM));
        two.subscribe(b"a", 1);
        one.publish(b"a", b"x");
        two.leave();
        one.publish(b"a", b"x");
        assert!(poll(&others).is_empty());
        assert!(lock(&two.hub.topics).is_empty());
        one.leave();
        drop((one, two));
        assert!(!lock(&HUBS).contains_key(&b"leave"[..]));
    }
}
