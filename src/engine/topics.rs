//! Who is subscribed to what.

use std::collections::HashMap;
use std::sync::Arc;

use super::connection::{Connection, Receiver, ReceiverList};

/// The class of subscribers that the engine does not send to: whoever publishes does.
pub const INDIRECT: u8 = 0;

/// A subscriber has a topic at this place of one of its lists.
#[derive(Clone, Copy)]
struct Membership {
    topic: u32,
    index: u32,
}

/// What is known of a subscriber.
struct Subscriber {
    /// Where what is published goes; it may be another class that keeps it from that.
    connection: Option<Arc<Connection>>,
    class: u8,
    memberships: Vec<Membership>,
}

/// A subscriber has this topic, and it at this place among those of the subscriber.
#[derive(Clone, Copy)]
struct Member {
    slot: u32,
    place: u32,
}

struct Topic {
    name: Arc<[u8]>,
    /// Those whom the engine sends to. What is on its way to them has the list as it was.
    receivers: Arc<ReceiverList>,
    /// The same ones.
    direct: Vec<Member>,
    /// The others.
    indirect: Vec<Member>,
    /// A bit for each class that those whom the engine sends to are of, or were.
    classes: u32,
}

impl Topic {
    fn list(&mut self, class: u8) -> &mut Vec<Member> {
        if class == INDIRECT {
            &mut self.indirect
        } else {
            &mut self.direct
        }
    }

    fn len(&self) -> usize {
        self.direct.len() + self.indirect.len()
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.direct.iter().chain(&self.indirect)
    }
}

/// Things by numbers, which are used again.
struct Slots<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    fn add(&mut self, entry: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = Some(entry);
            return slot;
        }
        self.entries.push(Some(entry));
        (self.entries.len() - 1) as u32
    }

    fn remove(&mut self, slot: u32) -> Option<T> {
        let removed = self.entries.get_mut(slot as usize)?.take();
        if removed.is_some() {
            self.free.push(slot);
        }
        removed
    }

    fn get(&self, slot: u32) -> Option<&T> {
        self.entries.get(slot as usize)?.as_ref()
    }

    fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.entries.get_mut(slot as usize)?.as_mut()
    }
}

/// What changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Anything at all.
    pub is_change: bool,
    /// The topic has its first subscriber, or none any more.
    pub is_edge: bool,
}

/// Topics, and those who are subscribed to them. Names are bytes; a topic is there as long as it has subscribers.
#[derive(Default)]
pub struct Topics {
    names: HashMap<Arc<[u8]>, u32>,
    topics: Slots<Topic>,
    subscribers: Slots<Subscriber>,
}

impl Topics {
    /// A new subscriber, and what it is known by.
    pub fn add_subscriber(&mut self, connection: Option<Arc<Connection>>, class: u8) -> u32 {
        self.subscribers.add(Subscriber {
            connection,
            class,
            memberships: Vec::new(),
        })
    }

    /// Has a subscriber go, and all its subscriptions.
    pub fn remove_subscriber(&mut self, slot: u32) {
        while let Some(subscriber) = self.subscribers.get(slot)
            && let Some(place) = subscriber.memberships.len().checked_sub(1)
        {
            self.leave(slot, place as u32);
        }
        self.subscribers.remove(slot);
    }

    /// Has what is published go another way to a subscriber from here on.
    pub fn set_class(&mut self, slot: u32, connection: Option<Arc<Connection>>, class: u8) {
        let Some(subscriber) = self.subscribers.get(slot) else {
            return;
        };
        let memberships = subscriber.memberships.clone();
        for Membership { topic, index } in &memberships {
            self.take_from_list(*topic, subscriber_class(&self.subscribers, slot), *index);
        }
        let Some(subscriber) = self.subscribers.get_mut(slot) else {
            return;
        };
        subscriber.class = class;
        subscriber.connection = connection;
        for (membership, place) in memberships.into_iter().zip(0..) {
            self.put_into_list(membership.topic, slot, place);
        }
    }

    /// Subscribes.
    pub fn subscribe(&mut self, slot: u32, name: &[u8]) -> Change {
        if self.subscribers.get(slot).is_none() || self.place(slot, name).is_some() {
            return Change::default();
        }
        let topic = self.names.get(name).copied().unwrap_or_else(|| {
            let name: Arc<[u8]> = name.into();
            let topic = self.topics.add(Topic {
                name: Arc::clone(&name),
                receivers: Arc::default(),
                direct: Vec::new(),
                indirect: Vec::new(),
                classes: 0,
            });
            self.names.insert(name, topic);
            topic
        });
        if let Some(subscriber) = self.subscribers.get_mut(slot) {
            let place = subscriber.memberships.len() as u32;
            subscriber.memberships.push(Membership { topic, index: 0 });
            self.put_into_list(topic, slot, place);
        }
        Change {
            is_change: true,
            is_edge: self.topics.get(topic).is_some_and(|topic| topic.len() == 1),
        }
    }

    /// Takes a subscription back.
    pub fn unsubscribe(&mut self, slot: u32, name: &[u8]) -> Change {
        let Some(place) = self.place(slot, name) else {
            return Change::default();
        };
        self.leave(slot, place);
        Change {
            is_change: true,
            is_edge: !self.names.contains_key(name),
        }
    }

    /// Whether a subscriber is subscribed to a topic.
    pub fn is_subscribed(&self, slot: u32, name: &[u8]) -> bool {
        self.place(slot, name).is_some()
    }

    /// The names of the topics of a subscriber.
    pub fn topics_of(&self, slot: u32) -> impl Iterator<Item = &[u8]> {
        let subscriber = self.subscribers.get(slot).into_iter();
        let memberships = subscriber.flat_map(|subscriber| &subscriber.memberships);
        memberships.filter_map(|membership| Some(&*self.topics.get(membership.topic)?.name))
    }

    /// How many subscribers a topic has.
    pub fn size(&self, name: &[u8]) -> usize {
        self.topic(name).map_or(0, Topic::len)
    }

    /// A bit for each class that a topic may have subscribers of.
    pub fn classes(&self, name: &[u8]) -> u32 {
        self.topic(name).map_or(0, |topic| {
            topic.classes | u32::from(!topic.indirect.is_empty()) << INDIRECT
        })
    }

    /// All subscribers of a topic.
    pub fn members(&self, name: &[u8]) -> impl Iterator<Item = u32> {
        let members = self.topic(name).into_iter().flat_map(Topic::members);
        members.map(|member| member.slot)
    }

    /// Those whom the engine does not send to.
    pub fn indirect(&self, name: &[u8]) -> impl Iterator<Item = u32> {
        let topic = self.topic(name).into_iter();
        topic
            .flat_map(|topic| &topic.indirect)
            .map(|each| each.slot)
    }

    /// Those whom it does.
    pub fn receivers(&self, name: &[u8]) -> Option<&Arc<ReceiverList>> {
        self.topic(name).map(|topic| &topic.receivers)
    }

    fn topic(&self, name: &[u8]) -> Option<&Topic> {
        self.topics.get(*self.names.get(name)?)
    }

    /// Where among the topics of a subscriber this one is. The shorter list is looked through.
    fn place(&self, slot: u32, name: &[u8]) -> Option<u32> {
        let number = *self.names.get(name)?;
        let topic = self.topics.get(number)?;
        let memberships = &self.subscribers.get(slot)?.memberships;
        if memberships.len() <= topic.len() {
            let found = memberships.iter().position(|each| each.topic == number);
            found.map(|place| place as u32)
        } else {
            let found = topic.members().find(|member| member.slot == slot);
            found.map(|member| member.place)
        }
    }

    /// Takes the membership at `place` from a subscriber, and the topic away that has no other one.
    fn leave(&mut self, slot: u32, place: u32) {
        let Some(subscriber) = self.subscribers.get_mut(slot) else {
            return;
        };
        let class = subscriber.class;
        let Membership { topic, index } = subscriber.memberships.swap_remove(place as usize);
        if subscriber.memberships.capacity() > 4 * subscriber.memberships.len() {
            subscriber
                .memberships
                .shrink_to(2 * subscriber.memberships.len());
        }
        // The last membership has its place now.
        if let Some(moved) = subscriber.memberships.get(place as usize).copied()
            && let Some(other) = self.topics.get_mut(moved.topic)
        {
            other.list(class)[moved.index as usize].place = place;
        }
        self.take_from_list(topic, class, index);
        if self.topics.get(topic).is_some_and(|topic| topic.len() == 0)
            && let Some(topic) = self.topics.remove(topic)
        {
            self.names.remove(&topic.name);
        }
    }

    /// Takes a member from a list of a topic.
    fn take_from_list(&mut self, number: u32, class: u8, index: u32) {
        let Some(topic) = self.topics.get_mut(number) else {
            return;
        };
        if class != INDIRECT {
            let receivers = Arc::make_mut(&mut topic.receivers).list_mut();
            receivers.swap_remove(index as usize);
            if receivers.is_empty() {
                topic.classes = 0;
            }
            if receivers.capacity() > 4 * receivers.len() {
                receivers.shrink_to(2 * receivers.len());
            }
        }
        let list = topic.list(class);
        list.swap_remove(index as usize);
        if list.capacity() > 4 * list.len() {
            list.shrink_to(2 * list.len());
        }
        // The last one has its index now.
        if let Some(moved) = list.get(index as usize).copied()
            && let Some(subscriber) = self.subscribers.get_mut(moved.slot)
        {
            subscriber.memberships[moved.place as usize].index = index;
        }
    }

    /// Puts a subscriber, whose membership is at `place`, into the list of a topic.
    fn put_into_list(&mut self, number: u32, slot: u32, place: u32) {
        let (Some(topic), Some(subscriber)) =
            (self.topics.get_mut(number), self.subscribers.get_mut(slot))
        else {
            return;
        };
        let class = subscriber.class;
        if let (true, Some(connection)) = (class != INDIRECT, &subscriber.connection) {
            let receivers = Arc::make_mut(&mut topic.receivers).list_mut();
            receivers.push(Receiver {
                connection: Arc::clone(connection),
                slot,
                class,
            });
            topic.classes |= 1_u32 << class;
        }
        let list = topic.list(class);
        subscriber.memberships[place as usize].index = list.len() as u32;
        list.push(Member { slot, place });
    }
}

fn subscriber_class(subscribers: &Slots<Subscriber>, slot: u32) -> u8 {
    subscribers.get(slot).map_or(INDIRECT, |each| each.class)
}
