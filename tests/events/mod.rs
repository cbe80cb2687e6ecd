//! Records what a receiver reports.

use oxws::protocol::{Message, Sink};

/// An event, with everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Message {
        is_binary: bool,
        bytes: Vec<u8>,
        fragments: Vec<u32>,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Events(pub Vec<Event>);

impl Sink for Events {
    fn message(&mut self, message: Message<'_>) {
        self.0.push(Event::Message {
            is_binary: message.is_binary,
            bytes: message.payload.as_ref().to_vec(),
            fragments: message.fragments.to_vec(),
        });
    }

    fn ping(&mut self, payload: &[u8]) {
        self.0.push(Event::Ping(payload.to_vec()));
    }

    fn pong(&mut self, payload: &[u8]) {
        self.0.push(Event::Pong(payload.to_vec()));
    }

    fn close(&mut self, code: u16, reason: &[u8]) {
        self.0.push(Event::Close(code, reason.to_vec()));
    }
}
